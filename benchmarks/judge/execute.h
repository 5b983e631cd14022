// Runs a case once on one backend, in guarded memory.
#pragma once

#include <string>
#include <vector>

#include "benchmarks/judge/examine.h"

namespace glia::test {

/// Channels beside an image when it is a slice of a wider buffer; none: it is dense.
struct Margins {
  std::int64_t before = 0, after = 0;
  explicit operator bool() const { return before + after > 0; }
};
inline constexpr Margins kOddMargins = {3, 2};
/// Rows of images whose channels are a multiple of four stay aligned to 16 bytes, in bf16 those of
/// a multiple of eight.
inline constexpr Margins kAlignedMargins = {4, 8}, kAlignedMarginsInBf16 = {8, 16};

/// How to run a case.
struct Plan {
  std::vector<Values> inputs;
  Values dy{};                    // gradient to start from; empty: forward only
  std::vector<Values> prefill{};  // gradients to add to, one an input; empty: overwrite
  Shape out_shape{};              // of the result, for `slices`
  Margins slices{};               // images as channel slices of wider buffers
  int threads = 1;
  bool note_kernels = false;  // which ran in the backward pass, and which wrote what
};

/// Everything that came out.
struct Outcome {
  Shape shape;
  DType type = DType::f32;  // of the result
  Values y;
  std::vector<Values> updated;
  std::vector<Values> gradients;  // one an input, empty where none is wanted
  /// With `note_kernels`: what ran in the backward pass, each once, and of it what wrote into the
  /// gradient of each input (nothing where one tensor's gradient is a part of another's).
  std::vector<std::string> ran;
  std::vector<std::vector<std::string>> writers;
  std::vector<std::string> problems;  // overwritten guards and neighbours, missing gradients
};

Outcome execute(const Case& test, const KernelTable& kernels, const Plan& plan);

}  // namespace glia::test
