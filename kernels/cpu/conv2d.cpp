// The three passes of conv2d, brought into the forms that tap_conv and wgrad compute.
#include "kernels/cpu/conv_passes.h"
#include "kernels/cpu/kernels.h"

namespace glia::cpu {

void conv2d_forward(KernelContext& context, const Conv2dForward& a) {
  conv_forward(context, a.geometry, a.x, a.w, a.b, a.y, Write::overwrite);
}

void conv2d_dgrad(KernelContext& context, const Conv2dDgrad& a) {
  conv_dgrad(context, a.geometry, a.dy, a.w, {}, a.dx, a.write);
}

void conv2d_wgrad(KernelContext& context, const Conv2dWgrad& a) {
  conv_wgrad(context, a.geometry, a.dy, a.x, a.dw, a.write);
  if (a.db) column_sums(context, a.dy, a.db, a.write_bias);
}

}  // namespace glia::cpu
