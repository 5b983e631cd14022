// The three passes of conv2d, each by the kernel that conv_choice.h names.
#include "kernels/cpu/conv/conv_choice.h"
#include "kernels/cpu/conv/conv_passes.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/conv/winograd.h"

namespace glia::cpu {

void conv2d_forward(KernelContext& context, const Conv2dForward& a) {
  if (takes_winograd(context, ConvPass::forward, a.geometry)) {
    winograd_forward(context, a);
    return;
  }
  conv_forward(context, a.geometry, {a.x, a.x_map}, a.w, a.b, a.y, Write::overwrite, a.moments);
}

void conv2d_dgrad(KernelContext& context, const Conv2dDgrad& a) {
  if (takes_winograd(context, ConvPass::dgrad, a.geometry))
    winograd_dgrad(context, a);
  else
    conv_dgrad(context, a.geometry, {a.dy}, a.w, {}, a.dx, a.write);
}

void conv2d_wgrad(KernelContext& context, const Conv2dWgrad& a) {
  if (takes_winograd(context, ConvPass::wgrad, a.geometry))
    winograd_wgrad(context, a);
  else
    conv_wgrad(context, a.geometry, {a.dy}, {a.x, a.x_map}, a.dw, a.write);
  if (a.db) column_sums(context, a.dy, a.db, a.write_bias);
}

}  // namespace glia::cpu
