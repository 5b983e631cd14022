// conv2d.forward: a thread computes an element of y. What it gets: kernels/api/conv2d.h.
#include "kernels/api/plugin.h"
#include "kernels/cuda/gpu.h"

using namespace glia;

constexpr int kThreads = 128;

__global__ void __launch_bounds__(kThreads)
    my_conv2d_forward(ConvGeometry g, const float* x, std::int64_t x_pitch, const float* w,
                      const float* b, float* y, std::int64_t y_pitch) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= g.N * g.P * g.Q * g.K) return;
  const std::int64_t k = i % g.K, pixel = i / g.K;
  const std::int64_t q = pixel % g.Q, p = pixel / g.Q % g.P, n = pixel / g.Q / g.P;
  float sum = b ? b[k] : 0;
  for (std::int64_t r = 0; r < g.R; ++r)
    for (std::int64_t s = 0; s < g.S; ++s) {
      const std::int64_t row = p * g.stride_h + r - g.pad_top;
      const std::int64_t column = q * g.stride_w + s - g.pad_left;
      if (row < 0 || row >= g.H || column < 0 || column >= g.W) continue;  // counts as 0
      const float* from = x + ((n * g.H + row) * g.W + column) * x_pitch;
      const float* weights = w + ((k * g.R + r) * g.S + s) * g.C;
      for (std::int64_t c = 0; c < g.C; ++c) sum += from[c] * weights[c];
    }
  y[pixel * y_pitch + k] = sum;  // a channel slice of a wider buffer has a wider pitch
}

void conv2d_forward(KernelContext& context, const Conv2dForward& a) {
  const auto blocks = static_cast<unsigned>((a.y.shape.numel() + kThreads - 1) / kThreads);
  gpu::launch(my_conv2d_forward,
              {.grid = blocks,
               .block = kThreads,
               .stream = static_cast<cudaStream_t>(context.stream),
               .name = "my_conv2d_forward"},
              a.geometry, a.x.as<float>(), a.x.pitch, a.w.as<float>(), a.b.as<float>(),
              a.y.as<float>(), a.y.pitch);
}
