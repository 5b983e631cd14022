// relu.forward: a thread computes an element of y. What it gets: kernels/api/elementwise.h.
#include "kernels/api/plugin.h"
#include "kernels/cuda/gpu.h"

using namespace glia;

constexpr int kThreads = 128;

__global__ void __launch_bounds__(kThreads)
    my_relu(const float* x, std::int64_t x_pitch, float* y, std::int64_t y_pitch, std::int64_t rows,
            std::int64_t channels) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= rows * channels) return;
  const std::int64_t row = i / channels, c = i % channels;
  const float value = x[row * x_pitch + c];  // a channel slice has a pitch wider than its channels
  y[row * y_pitch + c] = value < 0 ? 0 : value;  // a NaN stays one
}

void relu_forward(KernelContext& context, const ReluForward& a) {
  gpu::launch(my_relu,
              {.grid = static_cast<unsigned>((a.x.shape.numel() + kThreads - 1) / kThreads),
               .block = kThreads,
               .stream = static_cast<cudaStream_t>(context.stream)},
              a.x.as<float>(), a.x.pitch, a.y.as<float>(), a.y.pitch, a.x.rows(), a.x.channels());
}
