// The three passes of a convolution, for conv2d and, with the roles exchanged, conv_transpose2d.
#pragma once

#include "engine/base/geometry.h"
#include "kernels/api/context.h"
#include "kernels/cudnn/image.h"

namespace glia::cudnn {

enum class Pass : std::uint8_t { forward, dgrad, wgrad };

/// Operands by their place in the convolution of `image` [N,H,W,C] with `filter` [K,R,S,C] to
/// `result` [N,P,Q,K]. A pass computes one of them from the other two.
struct ConvOperands {
  Image image, filter, result;
};

/// forward writes the result, dgrad the image, wgrad the filter. Throws `Error`.
void convolve(KernelContext& context, const char* op, Pass pass, const ConvGeometry& geometry,
              const ConvOperands& operands, Write write);

}  // namespace glia::cudnn
