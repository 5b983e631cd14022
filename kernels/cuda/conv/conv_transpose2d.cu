// conv_transpose2d's entries of the kernel table: conv2d's passes with the roles exchanged, in the
// geometry of the convolution that it is the adjoint of. Windows of 2x2 with stride 2 do not
// overlap, so the forward pass is one product with a pixel shuffle (conv_shuffle.cu).
#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/kernels.h"

namespace glia::GLIA_GPU {

void conv_transpose2d_forward(KernelContext& context, const ConvTranspose2dForward& a) {
  conv_dgrad(context, a.geometry, a.x, a.w, a.b, a.y, Write::overwrite);
}

void conv_transpose2d_dgrad(KernelContext& context, const ConvTranspose2dDgrad& a) {
  conv_forward(context, a.geometry, {a.dy}, a.w, {}, a.dx, a.write);
}

void conv_transpose2d_wgrad(KernelContext& context, const ConvTranspose2dWgrad& a) {
  conv_wgrad(context, a.geometry, a.x, {a.dy}, a.dw, a.write);
  if (a.db) conv_bias_grad(context, a.dy, a.db, a.write_bias);
}

}  // namespace glia::GLIA_GPU
