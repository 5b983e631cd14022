// A transposed convolution's passes are conv2d's with the roles exchanged; `geometry` is that of
// the convolution it is the adjoint of.
#include "kernels/cpu/conv/conv_choice.h"
#include "kernels/cpu/conv/conv_passes.h"
#include "kernels/cpu/conv/patch_wgrad.h"
#include "kernels/cpu/kernels.h"

namespace glia::cpu {

void conv_transpose2d_forward(KernelContext& context, const ConvTranspose2dForward& a) {
  const ConvWay way = choose(context, KernelId::conv_transpose2d_forward, a.geometry);
  conv_dgrad(context, way, a.geometry, {a.x, a.x_map}, a.w, a.b, a.y, Write::overwrite);
}

void conv_transpose2d_dgrad(KernelContext& context, const ConvTranspose2dDgrad& a) {
  const ConvWay way = choose(context, KernelId::conv_transpose2d_dgrad, a.geometry);
  conv_forward(context, way, a.geometry, {a.dy}, a.w, {}, a.dx, a.write);
}

void conv_transpose2d_wgrad(KernelContext& context, const ConvTranspose2dWgrad& a) {
  const ConvWay way = choose(context, KernelId::conv_transpose2d_wgrad, a.geometry);
  if (way == ConvWay::patches) {
    patch_wgrad(context, a);
    return;
  }
  conv_wgrad(context, way, a.geometry, {a.x, a.x_map}, {a.dy}, a.dw, a.write);
  if (a.db) column_sums(context, a.dy, a.db, a.write_bias);
}

}  // namespace glia::cpu
