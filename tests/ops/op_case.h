// One list of cases an operation (benchmarks/cases), many uses: a `Case` says how to call an
// operation and on what, and `examine` derives every check from it:
//   forward   against the float64 reference (tests/reference);
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

/// Examines all cases on all devices under test and reports to Catch: one assertion a case and
/// device, shares of the bounds under `-s`.
void check_cases(std::span<const Case> cases);
/// The same on the devices that read maps (kernels/api/read_map.h).
void check_cases_with_maps(std::span<const Case> cases);
/// And on those that at least write down what maps make.
void check_cases_with_written_maps(std::span<const Case> cases);
/// The same on the devices that use threads, which is the CPU.
void check_cases_on_cpu(std::span<const Case> cases);
/// The same with activations in bf16 (operands are drawn from the numbers that it has), on the
/// devices that have it: bounds grow by the one rounding of what is stored, half a unit.
void check_cases_in_bf16(std::span<const Case> cases);
/// The same on the devices that run our GPU kernels.
void check_cases_on_gpu_kernels(std::span<const Case> cases);

}  // namespace glia::test
