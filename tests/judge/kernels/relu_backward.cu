// relu.backward: a thread computes an element of dx. docs/ops/relu.md
#include "kernels/api/plugin.h"
#include "kernels/cuda/gpu.h"

using namespace glia;

constexpr int kThreads = 128;

__global__ void naive_relu_backward(std::int64_t rows, std::int64_t channels, const float* dy,
                                    std::int64_t dy_pitch, const float* y, std::int64_t y_pitch,
                                    float* dx, std::int64_t dx_pitch, bool add) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= rows * channels) return;
  const std::int64_t row = i / channels, c = i % channels;
  const float out = y[row * y_pitch + c];
  float share = out > 0 ? dy[row * dy_pitch + c] : 0;
  if (out != out) share = out;  // a NaN is passed on, to be noticed
  float& to = dx[row * dx_pitch + c];
  to = add ? to + share : share;
}

void relu_backward(KernelContext& context, const ReluBackward& a) {
  const std::int64_t count = a.dx.shape.numel();
  gpu::launch(naive_relu_backward,
              {.grid = static_cast<unsigned>((count + kThreads - 1) / kThreads),
               .block = kThreads,
               .stream = static_cast<cudaStream_t>(context.stream),
               .name = "naive_relu_backward"},
              a.dx.rows(), a.dx.channels(), a.dy.as<float>(), a.dy.pitch, a.y.as<float>(),
              a.y.pitch, a.dx.as<float>(), a.dx.pitch, a.write == Write::accumulate);
}
