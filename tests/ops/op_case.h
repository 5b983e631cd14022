// One list of cases an operation, many uses: a `Case` says how to call an operation and on what,
// and `examine` derives every check from it:
//   forward   against the float64 reference (tests/reference);
//   gradient  against signed central differences of that reference, element by element and along a
//             random direction through all elements, with a minimum share of non-zero gradients;
//   adjoint   <op(x) - op(0), r> = <x, gradient> where the operation is linear;
//   accumulate  gradients add to what bound memory holds;
//   slices    operands and results as channel slices of wider buffers, neighbours untouched;
//   guards    no write outside, and every element written (fresh and scratch memory is NaN);
//   repeat    the same bits again, and with 2 and 3 threads (or, where a library cuts sums by the
//             number of threads, the same bits again with each, and hardly others).
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/tape/tape.h"
#include "tests/reference/values.h"

namespace glia::test {

using reference::Values;

/// How the values of an input are drawn, always from a fixed seed and representable as float.
enum class Fill : std::uint8_t {
  uniform,   // in [low, high)
  spaced,    // a shuffled arithmetic sequence: no ties, for operations that compare elements
  off_zero,  // uniform with |x| >= 0.1, for a kink at 0
  binary     // 0 or 1
};

struct Input {
  Shape shape;
  Fill fill = Fill::uniform;
  double low = -1, high = 1;
  Values values{};           // instead of drawing them
  bool grad = true;          // wants a gradient
  bool image = true;         // may be a channel slice (of rank 4)
  bool linear = false;       // the operation is affine in it
  double length = 1;         // terms summed into one element of its gradient
  double min_nonzero = 0.5;  // smallest share of non-zero gradients that tests anything
};

struct Case {
  std::string op;    // row of tests/ops/tolerance.h
  std::string name;  // tells the cases of one operation apart
  std::vector<Input> inputs;
  /// Calls the operation; `out` is its result's place or undefined.
  std::function<Tensor(Tape&, std::span<const Tensor> inputs, const Tensor& out)> build;
  double length = 1;                // terms summed into one element of the result
  double condition = 1, floor = 0;  // see tolerance.h
  bool takes_out = false;           // `build` passes `out` on
  /// Inputs that the operation changes; they are compared as the result is.
  std::vector<std::size_t> updated{};
  std::size_t samples = 16;                 // gradients an input that are compared one by one
  ConvMethod conv = ConvMethod::automatic;  // of the CPU
  /// Convolutions of the CPU in bf16, by these instructions. Operands and dy are then drawn from
  /// the numbers that bf16 has, so that the reference computes with what the kernels round to.
  std::optional<Bf16Choice> bf16{};
};

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
/// The same on the devices that use threads, which is the CPU.
void check_cases_on_cpu(std::span<const Case> cases);

}  // namespace glia::test
