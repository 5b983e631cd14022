// The three passes of conv2d, each by the way that conv_choice.h names.
#include "kernels/cpu/conv/conv_choice.h"
#include "kernels/cpu/conv/conv_passes.h"
#include "kernels/cpu/conv/winograd.h"
#include "kernels/cpu/kernels.h"

namespace glia::cpu {

void conv2d_forward(KernelContext& context, const Conv2dForward& a) {
  const ConvWay way = choose(context, KernelId::conv2d_forward, a.geometry);
  if (way == ConvWay::winograd)
    winograd_forward(context, a);
  else
    conv_forward(context, way, a.geometry, {a.x, a.x_map}, a.w, a.b, a.y, Write::overwrite,
                 a.moments);
}

void conv2d_dgrad(KernelContext& context, const Conv2dDgrad& a) {
  const ConvWay way = choose(context, KernelId::conv2d_dgrad, a.geometry);
  if (way == ConvWay::winograd)
    winograd_dgrad(context, a);
  else
    conv_dgrad(context, way, a.geometry, {a.dy}, a.w, {}, a.dx, a.write);
}

void conv2d_wgrad(KernelContext& context, const Conv2dWgrad& a) {
  const ConvWay way = choose(context, KernelId::conv2d_wgrad, a.geometry);
  if (way == ConvWay::winograd)
    winograd_wgrad(context, a);
  else
    conv_wgrad(context, way, a.geometry, {a.dy}, {a.x, a.x_map}, a.dw, a.write);
  if (a.db) column_sums(context, a.dy, a.db, a.write_bias);
}

}  // namespace glia::cpu
