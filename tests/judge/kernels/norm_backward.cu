// batch_norm.backward_train: a thread computes a channel. docs/ops/batch_norm.md
#include "kernels/api/plugin.h"
#include "kernels/cuda/gpu.h"

using namespace glia;

constexpr int kThreads = 32;

struct Norm {
  const float *dy, *x, *gamma, *mean, *invstd;
  float *dx, *dgamma, *dbeta;
  std::int64_t dy_pitch, x_pitch, dx_pitch;
  bool add, add_params;
};

__global__ void naive_norm_backward(std::int64_t M, std::int64_t C, Norm a) {
  const std::int64_t c = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (c >= C) return;
  double sum = 0, product = 0;  // of this call, whatever dbeta and dgamma hold already
  for (std::int64_t i = 0; i < M; ++i) {
    const double xhat = (double{a.x[i * a.x_pitch + c]} - a.mean[c]) * a.invstd[c];
    sum += a.dy[i * a.dy_pitch + c];
    product += a.dy[i * a.dy_pitch + c] * xhat;
  }
  a.dbeta[c] = static_cast<float>(a.add_params ? a.dbeta[c] + sum : sum);
  a.dgamma[c] = static_cast<float>(a.add_params ? a.dgamma[c] + product : product);
  if (a.dx == nullptr) return;
  for (std::int64_t i = 0; i < M; ++i) {
    const double xhat = (double{a.x[i * a.x_pitch + c]} - a.mean[c]) * a.invstd[c];
    const double own = a.dy[i * a.dy_pitch + c] - sum / M - xhat * product / M;
    const double share = double{a.gamma[c]} * a.invstd[c] * own;
    float& to = a.dx[i * a.dx_pitch + c];
    to = static_cast<float>(a.add ? to + share : share);
  }
}

void batch_norm_backward_train(KernelContext& context, const BatchNormBackwardTrain& a) {
  const std::int64_t C = a.x.channels();
  gpu::launch(naive_norm_backward,
              {.grid = static_cast<unsigned>((C + kThreads - 1) / kThreads),
               .block = kThreads,
               .stream = static_cast<cudaStream_t>(context.stream),
               .name = "naive_norm_backward"},
              a.x.rows(), C,
              Norm{a.dy.as<float>(), a.x.as<float>(), a.gamma.as<float>(), a.mean.as<float>(),
                   a.invstd.as<float>(), a.dx.as<float>(), a.dgamma.as<float>(),
                   a.dbeta.as<float>(), a.dy.pitch, a.x.pitch, a.dx.pitch,
                   a.write == Write::accumulate, a.write_params == Write::accumulate});
}
