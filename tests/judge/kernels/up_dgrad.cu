// conv_transpose2d.dgrad: a thread computes an element of dx. docs/ops/conv_transpose2d.md
#include "kernels/api/plugin.h"
#include "kernels/cuda/gpu.h"

using namespace glia;

constexpr int kThreads = 128;

__global__ void naive_up_dgrad(ConvGeometry g, const float* dy, std::int64_t dy_pitch,
                               const float* w, float* dx, std::int64_t dx_pitch, bool add) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= g.N * g.P * g.Q * g.K) return;
  const std::int64_t k = i % g.K, pixel = i / g.K;
  const std::int64_t q = pixel % g.Q, p = pixel / g.Q % g.P, n = pixel / g.Q / g.P;
  float sum = 0;
  for (std::int64_t r = 0; r < g.R; ++r)
    for (std::int64_t s = 0; s < g.S; ++s) {
      const std::int64_t h = p * g.stride_h + r - g.pad_top;
      const std::int64_t v = q * g.stride_w + s - g.pad_left;
      if (h < 0 || h >= g.H || v < 0 || v >= g.W) continue;  // the stamp was cut off here
      const float* from = dy + ((n * g.H + h) * g.W + v) * dy_pitch;
      const float* weights = w + ((k * g.R + r) * g.S + s) * g.C;
      for (std::int64_t c = 0; c < g.C; ++c) sum += from[c] * weights[c];
    }
  float& to = dx[pixel * dx_pitch + k];
  to = add ? to + sum : sum;
}

void conv_transpose2d_dgrad(KernelContext& context, const ConvTranspose2dDgrad& a) {
  const std::int64_t count = a.dx.shape.numel();
  gpu::launch(naive_up_dgrad,
              {.grid = static_cast<unsigned>((count + kThreads - 1) / kThreads),
               .block = kThreads,
               .stream = static_cast<cudaStream_t>(context.stream),
               .name = "naive_up_dgrad"},
              a.geometry, a.dy.as<float>(), a.dy.pitch, a.w.as<float>(), a.dx.as<float>(),
              a.dx.pitch, a.write == Write::accumulate);
}
