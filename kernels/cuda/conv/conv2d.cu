// conv2d's entries of the kernel table.
#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/kernels.h"

namespace glia::GLIA_GPU {

void conv2d_forward(KernelContext& context, const Conv2dForward& a) {
  conv_forward(context, a.geometry, {a.x, a.x_map}, a.w, {a.b, a.y_map, a.moments}, a.y,
               Write::overwrite);
}

void conv2d_dgrad(KernelContext& context, const Conv2dDgrad& a) {
  conv_dgrad(context, a.geometry, a.dy, a.w, {}, a.dx, a.write);
}

void conv2d_wgrad(KernelContext& context, const Conv2dWgrad& a) {
  conv_wgrad(context, a.geometry, a.dy, {a.x, a.x_map}, a.dw, a.write);
  if (a.db) conv_bias_grad(context, a.dy, a.db, a.write_bias);
}

}  // namespace glia::GLIA_GPU
