// The passes of a convolution as functions that conv2d and conv_transpose2d share, by the way that
// was chosen: taps or bf16, forward also dots. Shapes as in kernels/api/conv2d.h.
#pragma once

#include "engine/base/geometry.h"
#include "kernels/api/context.h"
#include "kernels/api/view.h"
#include "kernels/cpu/conv/conv_choice.h"

namespace glia::cpu {

/// An operand and the map that it is read through; none: as it lies.
struct Mapped {
  ConstView view, map{};
};

/// y (+)= x * w + b; b may be empty. `moments`, when given: f64 [2, K], of y
/// (kernels/api/conv2d.h).
void conv_forward(KernelContext& context, ConvWay way, const ConvGeometry& g, const Mapped& x,
                  const ConstView& w, const ConstView& b, const View& y, Write write,
                  const View& moments = {});

/// dx (+)= the adjoint in x applied to dy, + b; b may be empty.
void conv_dgrad(KernelContext& context, ConvWay way, const ConvGeometry& g, const Mapped& dy,
                const ConstView& w, const ConstView& b, const View& dx, Write write);

/// dw (+)= the adjoint in w.
void conv_wgrad(KernelContext& context, ConvWay way, const ConvGeometry& g, const Mapped& dy,
                const Mapped& x, const View& dw, Write write);

/// sums[c] (+)= sum of x over all rows: the bias gradient.
void column_sums(KernelContext& context, const ConstView& x, const View& sums, Write write);

/// moments f64 [2, C]: the mean of each channel over all rows and its sum of squared deviations.
void moments_of(KernelContext& context, const ConstView& x, const View& moments);

}  // namespace glia::cpu
