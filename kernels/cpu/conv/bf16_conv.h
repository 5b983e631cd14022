// Convolutions that multiply in bf16 and sum in fp32. Definition, rounding and layouts:
// docs/ops/conv2d.md.
#pragma once

#include "kernels/cpu/conv/conv_passes.h"
#include "kernels/cpu/conv/tap_conv.h"

namespace glia::cpu {

/// `problem` with both operands rounded. `moments`, when given: f64 [2, outputs], of the result;
/// then the problem has one part and overwrites. Throws `Error` where the processor has not the
/// instructions.
void bf16_tap_conv(KernelContext& context, const TapConv& problem, const View& moments);

/// dw (+)= the adjoint in w, with x and dy rounded.
void bf16_wgrad(KernelContext& context, const ConvGeometry& g, const Mapped& dy, const Mapped& x,
                const View& dw, Write write);

}  // namespace glia::cpu
