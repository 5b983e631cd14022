// One list of cases an operation (benchmarks/cases), many uses: a `Case` says how to call an
// operation and on what, and `examine` derives every check from it:
//   forward   against the float64 reference (benchmarks/reference);
//   gradient  against signed central differences of that reference, element by element and along a
//             random direction through all elements, with a minimum share of non-zero gradients;
//   adjoint   <op(x) - op(0), r> = <x, gradient> where the operation is linear;
//   accumulate  gradients add to what bound memory holds;
//   slices    operands and results as channel slices of wider buffers, neighbours untouched;
//   guards    no write outside, and every element written (fresh and scratch memory is NaN);
//   NaN       reaches everything that depends on it;
//   repeat    the same bits again, and with 2 and 3 threads (or, where a library cuts sums by the
//             number of threads, the same bits again with each, and hardly others).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "benchmarks/cases/cases.h"
#include "kernels/api/table.h"

namespace glia::test {

using cases::Case;
using cases::Fill;
using cases::Input;
using cases::Values;

/// What the checks found: one line a failure, and how much of its bound each comparison used.
struct Report {
  std::vector<std::string> failures;
  std::vector<std::string> shares;
};

/// Runs every check of `test` on the kernels, with float64 reference results as the truth.
Report examine(const Case& test, const KernelTable& kernels);

/// Runs `test` forwards and backwards, dense and as slices, and judges nothing but what the run
/// itself finds: for the race checker. Throws `Error`.
void only_run(const Case& test, const KernelTable& kernels);

}  // namespace glia::test
