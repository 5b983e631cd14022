// Backward-weights of a transposed convolution whose windows lie side by side: stride = window, no
// padding, as in the U-Net's 2x2 one.
#pragma once

#include "engine/base/geometry.h"
#include "kernels/api/context.h"
#include "kernels/api/conv_transpose2d.h"

namespace glia::cpu {

/// dw and db where `choose` says patches (kernels/api/conv_transpose2d.h), in fp32.
void patch_wgrad(KernelContext& context, const ConvTranspose2dWgrad& a);

}  // namespace glia::cpu
