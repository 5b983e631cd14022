// Batch norm with the statistics of the batch, and forward with the running ones. The backward pass
// with constant statistics stays ours: cuDNN has none.
#include "kernels/cudnn/functions.h"
#include "kernels/cudnn/kernels.h"
#include "kernels/cudnn/staging.h"
#include "kernels/cudnn/status.h"

namespace glia::cudnn {

namespace {

/// Calls `with` in the mode meant for NHWC, or, where cuDNN declines that, in the general one.
template <class With>
cudnnStatus_t in_either_mode(const With& with) {
  const cudnnStatus_t status = with(CUDNN_BATCHNORM_SPATIAL_PERSISTENT);
  return is_refusal(status) ? with(CUDNN_BATCHNORM_SPATIAL) : status;
}

}  // namespace

void batch_norm_forward_train(KernelContext& context, const BatchNormForwardTrain& a) {
  run_call(context, name_of(a), {input(a.x), output(a.y)},
           [&a](cudnnHandle_t handle, std::span<const Image> images) {
             const Image &x = images[0], &y = images[1];
             const TensorDescriptor from(x), to(y), channels = TensorDescriptor::channels(x.C);
             return in_either_mode([&](cudnnBatchNormMode_t mode) {
               // cuDNN's running variance is the unbiased one, as ours.
               return cudnn().cudnnBatchNormalizationForwardTraining(
                   handle, mode, &kOne, &kZero, from, x.data, to, y.data, channels, a.gamma.data,
                   a.beta.data, a.momentum, a.running_mean.data, a.running_var.data, a.epsilon,
                   a.mean.data, a.invstd.data);
             });
           });
}

void batch_norm_forward_eval(KernelContext& context, const BatchNormForwardEval& a) {
  run_call(context, name_of(a), {input(a.x), output(a.y)},
           [&a](cudnnHandle_t handle, std::span<const Image> images) {
             const Image &x = images[0], &y = images[1];
             const TensorDescriptor from(x), to(y), channels = TensorDescriptor::channels(x.C);
             return cudnn().cudnnBatchNormalizationForwardInference(
                 handle, CUDNN_BATCHNORM_SPATIAL, &kOne, &kZero, from, x.data, to, y.data, channels,
                 a.gamma.data, a.beta.data, a.running_mean.data, a.running_var.data, a.epsilon);
           });
}

void batch_norm_backward_train(KernelContext& context, const BatchNormBackwardTrain& a) {
  // cuDNN always writes dx: into scratch memory when nobody wants it.
  const CallOperand dx = a.dx ? output(a.dx, a.write)
                              : CallOperand{.image = dense_like(image_of(a.x)), .written = true};
  const Write write = a.dx ? a.write : Write::overwrite;
  run_call(context, name_of(a), {input(a.dy), input(a.x), dx},
           [&](cudnnHandle_t handle, std::span<const Image> images) {
             const TensorDescriptor dy(images[0]), x(images[1]), to(images[2]),
                 channels = TensorDescriptor::channels(images[1].C);
             // The saved statistics stand in for epsilon, which is only checked.
             constexpr double kEpsilon = 1e-5;
             return in_either_mode([&](cudnnBatchNormMode_t mode) {
               return cudnn().cudnnBatchNormalizationBackward(
                   handle, mode, &kOne, blend(write), &kOne, blend(a.write_params), x,
                   images[1].data, dy, images[0].data, to, images[2].data, channels, a.gamma.data,
                   a.dgamma.data, a.dbeta.data, kEpsilon, a.mean.data, a.invstd.data);
             });
           });
}

}  // namespace glia::cudnn
