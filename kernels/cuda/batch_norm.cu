// Batch norm: a group norm of one region, all rows of the batch, with a group a channel. The passes
// and their work mapping: kernels/cuda/norm.cu and kernels/cuda/channels.cu. In evaluation the
// coefficients of the affine map follow from the running statistics, a thread a channel.
#include "kernels/cuda/channels.h"
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/norm.h"

namespace glia::GLIA_GPU {
namespace {

__global__ void __launch_bounds__(kChannelsABlock)
    batch_norm_forward_coefficients(const float* gamma, const float* beta, const float* mean,
                                    const float* var, double epsilon, std::int64_t channels,
                                    float* coefficients) {
  const std::int64_t c = std::int64_t{blockIdx.x} * kChannelsABlock + threadIdx.x;
  if (c >= channels) return;
  coefficients[kOfV * channels + c] = static_cast<float>(gamma[c] / sqrt(var[c] + epsilon));
  coefficients[kCentre * channels + c] = mean[c];
  coefficients[kConstant * channels + c] = beta[c];
}

}  // namespace

void batch_norm_forward_train(KernelContext& context, const BatchNormForwardTrain& a) {
  norm_forward(context,
               {.x = a.x,
                .gamma = a.gamma,
                .beta = a.beta,
                .y = a.y,
                .mean = a.mean,
                .invstd = a.invstd,
                .groups = a.x.channels(),
                .epsilon = a.epsilon},
               1, {a.running_mean.as<float>(), a.running_var.as<float>(), a.momentum});
}

void batch_norm_forward_eval(KernelContext& context, const BatchNormForwardEval& a) {
  const std::int64_t channels = a.x.channels();
  auto* coefficients = context.workspace.array<float>(kCoefficients * channels);
  gpu::launch(batch_norm_forward_coefficients,
              a_thread_a_channel(context, "batch_norm_forward_coefficients", channels),
              a.gamma.as<float>(), a.beta.as<float>(), a.running_mean.as<float>(),
              a.running_var.as<float>(), a.epsilon, channels, coefficients);
  channel_affine(context, 1, {}, a.x, a.y, Write::overwrite, coefficients);
}

void batch_norm_backward_train(KernelContext& context, const BatchNormBackwardTrain& a) {
  norm_backward(context, as_group_norm(a), 1, {});
}

void batch_norm_backward_eval(KernelContext& context, const BatchNormBackwardEval& a) {
  norm_backward(context, as_group_norm(a), 1, {a.running_var.as<float>(), a.epsilon});
}

}  // namespace glia::GLIA_GPU
