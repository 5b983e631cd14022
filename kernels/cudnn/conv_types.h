// In which types a convolution is asked of NVIDIA's libraries: a function of the precision alone,
// without them, so that it is tested where they are missing (tests/cuda/conv_types_test.cpp).
#pragma once

#include <cstdint>

#include "engine/base/dtype.h"
#include "kernels/api/context.h"

namespace glia::cudnn {

/// What a plan does to the sums, which are float32, before the one rounding of the result.
enum class Epilogue : std::uint8_t {
  none,
  convert,  // nothing, but the result is of another type than the operands
  add_bias
};

struct ConvTypes {
  DType operands = DType::f32;  // both that the pass reads
  DType result = DType::f32;
  ConvPrecision precision = ConvPrecision::fp32;  // of the engines
  Epilogue epilogue = Epilogue::none;

  bool operator==(const ConvTypes&) const = default;
};

/// How cuDNN is asked, in this order, until it has an engine.
enum class Attempt : std::uint8_t {
  given,   // tensors where they lie
  plain,   // dense copies of those that are slices, even paddings, nothing accumulated
  widened  // in bf16: copies in float32, multiplied in tf32, which bf16's eight bits fit into; so
           // products and sums are those of bf16, and only the copies cost
};

/// `stored` is the type of the pass's result in memory. In fp32 and tf32 a bias is added
/// afterwards.
constexpr ConvTypes types_of(ConvPrecision precision, DType stored, bool bias, Attempt attempt) {
  if (precision != ConvPrecision::bf16) return {.precision = precision};
  if (attempt == Attempt::widened) return {.precision = ConvPrecision::tf32};
  return {.operands = DType::bf16,
          .result = stored,
          .precision = ConvPrecision::bf16,
          .epilogue = bias                    ? Epilogue::add_bias
                      : stored == DType::bf16 ? Epilogue::none
                                              : Epilogue::convert};
}

}  // namespace glia::cudnn
