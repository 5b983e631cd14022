// The three passes of a convolution, for conv2d and, with the roles exchanged, conv_transpose2d.
#pragma once

#include <string>
#include <vector>

#include "engine/base/geometry.h"
#include "kernels/api/context.h"
#include "kernels/cudnn/image.h"

namespace glia::cudnn {

enum class Pass : std::uint8_t { forward, dgrad, wgrad };

/// Operands by their place in the convolution of `image` [N,H,W,C] with `filter` [K,R,S,C] to
/// `result` [N,P,Q,K]. A pass computes one of them from the other two, and adds `bias`, where it
/// has one: float32, one a channel of what it computes.
struct ConvOperands {
  Image image, filter, result;
  const void* bias = nullptr;
};

/// What a pass computes: forward the result, dgrad the image, wgrad the filter.
constexpr Image ConvOperands::*target_of(Pass pass) {
  switch (pass) {
    case Pass::forward: return &ConvOperands::result;
    case Pass::dgrad: return &ConvOperands::image;
    case Pass::wgrad: break;
  }
  return &ConvOperands::filter;
}

/// Computes the pass's target. In the context's precision; in
/// bf16 operands of float32 are rounded as they are read, and the target may have either type.
/// Throws `Error`.
void convolve(KernelContext& context, const char* op, Pass pass, const ConvGeometry& geometry,
              const ConvOperands& operands, Write write);

/// What cuDNN says to each way in which `convolve` would ask it, in that order, for a GPU that is
/// only described, by cuDNN's JSON: the plan that it takes, or "declined: ..." and why. Needs no
/// GPU. For tests.
std::vector<std::string> answers(const std::string& gpu, ConvPrecision precision, Pass pass,
                                 const ConvGeometry& geometry, const ConvOperands& operands,
                                 Write write);

}  // namespace glia::cudnn
