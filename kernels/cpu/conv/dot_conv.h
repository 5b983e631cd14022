// A 1x1 convolution to few outputs, like the head of a U-Net: dot products of a pixel's channels.
#pragma once

#include "kernels/cpu/conv/conv_passes.h"

namespace glia::cpu {

/// y (+)= x * w + b; b may be empty.
void dot_forward(KernelContext& context, const Mapped& x, const ConstView& w, const ConstView& b,
                 const View& y, Write write);

}  // namespace glia::cpu
