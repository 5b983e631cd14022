// Winograd's F(4x4,3x3) for 3x3 convolutions of stride 1: 36 multiplications where the definition
// has 144. Any padding, any channels, pitched views. Derivation: docs/ops/conv2d.md; when it is
// taken: kernels/cpu/conv_choice.h.
#pragma once

#include "engine/base/geometry.h"
#include "kernels/api/context.h"
#include "kernels/api/view.h"

namespace glia::cpu {

/// The passes of a convolution, shapes as in kernels/api/conv2d.h. Results do not depend on the
/// number of threads.
void winograd_forward(KernelContext& context, const ConvGeometry& g, const ConstView& x,
                      const ConstView& w, const ConstView& b, const View& y);
void winograd_dgrad(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                    const ConstView& w, const View& dx, Write write);
void winograd_wgrad(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                    const ConstView& x, const View& dw, Write write);

}  // namespace glia::cpu
