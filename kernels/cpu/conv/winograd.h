// Winograd's F(4x4,3x3) for 3x3 convolutions of stride 1: 36 multiplications where the definition
// has 144. Any padding, any channels, pitched views. Derivation: docs/ops/conv2d.md; when it is
// taken: kernels/cpu/conv/conv_choice.h.
#pragma once

#include "kernels/api/context.h"
#include "kernels/api/conv2d.h"

namespace glia::cpu {

/// The passes of a convolution, but for the gradient of the bias. Results do not depend on the
/// number of threads.
void winograd_forward(KernelContext& context, const Conv2dForward& a);
void winograd_dgrad(KernelContext& context, const Conv2dDgrad& a);
void winograd_wgrad(KernelContext& context, const Conv2dWgrad& a);

}  // namespace glia::cpu
