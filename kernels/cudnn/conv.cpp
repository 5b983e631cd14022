// conv2d and conv_transpose2d: a transposed convolution is the convolution that it is the adjoint
// of, with the passes exchanged; `geometry` is that convolution's in both.
#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cudnn/convolve.h"
#include "kernels/cudnn/functions.h"
#include "kernels/cudnn/kernels.h"
#include "kernels/cudnn/staging.h"
#include "kernels/cudnn/status.h"

namespace glia::cudnn {

namespace {

/// db = sum of dy over the pixels. cuDNN gives it in the type of dy: of bf16 our kernel sums it up.
void bias_gradient(KernelContext& context, const char* op, const ConstView& dy, const View& db,
                   Write write) {
  if (!db) return;
  if (dy.dtype == DType::bf16) return cuda::conv_bias_grad(context, dy, db, write);
  run_call(context, op, {input(dy)}, [&](cudnnHandle_t handle, std::span<const Image> images) {
    const TensorDescriptor image(images[0]);
    return cudnn().cudnnConvolutionBackwardBias(handle, &kOne, image, images[0].data, blend(write),
                                                TensorDescriptor::channels(images[0].C), db.data);
  });
}

}  // namespace

void conv2d_forward(KernelContext& context, const Conv2dForward& a) {
  convolve(
      context, name_of(a), Pass::forward, a.geometry,
      {.image = image_of(a.x), .filter = image_of(a.w), .result = image_of(a.y), .bias = a.b.data},
      Write::overwrite);
}

void conv2d_dgrad(KernelContext& context, const Conv2dDgrad& a) {
  convolve(context, name_of(a), Pass::dgrad, a.geometry,
           {.image = image_of(a.dx), .filter = image_of(a.w), .result = image_of(a.dy)}, a.write);
}

void conv2d_wgrad(KernelContext& context, const Conv2dWgrad& a) {
  convolve(context, name_of(a), Pass::wgrad, a.geometry,
           {.image = image_of(a.x), .filter = image_of(a.dw), .result = image_of(a.dy)}, a.write);
  bias_gradient(context, name_of(a), a.dy, a.db, a.write_bias);
}

void conv_transpose2d_forward(KernelContext& context, const ConvTranspose2dForward& a) {
  convolve(
      context, name_of(a), Pass::dgrad, a.geometry,
      {.image = image_of(a.y), .filter = image_of(a.w), .result = image_of(a.x), .bias = a.b.data},
      Write::overwrite);
}

void conv_transpose2d_dgrad(KernelContext& context, const ConvTranspose2dDgrad& a) {
  convolve(context, name_of(a), Pass::forward, a.geometry,
           {.image = image_of(a.dy), .filter = image_of(a.w), .result = image_of(a.dx)}, a.write);
}

void conv_transpose2d_wgrad(KernelContext& context, const ConvTranspose2dWgrad& a) {
  convolve(context, name_of(a), Pass::wgrad, a.geometry,
           {.image = image_of(a.dy), .filter = image_of(a.dw), .result = image_of(a.x)}, a.write);
  bias_gradient(context, name_of(a), a.dy, a.db, a.write_bias);
}

}  // namespace glia::cudnn
