// A case: one way to call an operation and on what. From it the tests derive every check of the
// operation (benchmarks/judge/examine.h), and the benchmark the kernel calls that it times.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/geometry.h"
#include "engine/tape/tape.h"

namespace glia::cases {

/// Elements in row-major order.
using Values = std::vector<double>;

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
  std::string op;      // row of benchmarks/judge/tolerance.h
  std::string text;    // what it is, for people
  std::string name{};  // "conv2d.windows.3": its group and its number there, from 1
  std::vector<Input> inputs;
  /// Calls the operation; `out` is its result's place or undefined.
  std::function<Tensor(Tape&, std::span<const Tensor> inputs, const Tensor& out)> build;
  double length = 1;                // terms summed into one element of the result
  double condition = 1, floor = 0;  // see benchmarks/judge/tolerance.h
  bool takes_out = false;           // `build` passes `out` on
  /// Inputs that the operation changes; they are compared as the result is.
  std::vector<std::size_t> updated{};
  std::size_t samples = 16;  // gradients an input that are compared one by one
  /// Of a convolution alone, for whoever chooses how it is computed.
  std::optional<ConvGeometry> geometry{};
  ConvMethod conv = ConvMethod::automatic;  // of the CPU, in the tests
  /// Convolutions of the CPU in bf16, by these instructions, in the tests. Operands and dy are then
  /// drawn from the numbers that bf16 has, so that the reference computes with what the kernels
  /// round to.
  std::optional<Bf16Choice> bf16{};
  /// Convolutions of our GPU kernels in tf32, likewise.
  bool tf32 = false;
  ConvOverride gpu_conv{};  // of our GPU kernels, in the tests
};

}  // namespace glia::cases
