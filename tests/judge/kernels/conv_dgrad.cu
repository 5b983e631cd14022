// conv2d.dgrad: a thread computes an element of dx. docs/ops/conv2d.md
#include "kernels/api/plugin.h"
#include "kernels/cuda/gpu.h"

using namespace glia;

constexpr int kThreads = 128;

__global__ void naive_conv_dgrad(ConvGeometry g, const float* dy, std::int64_t dy_pitch,
                                 const float* w, float* dx, std::int64_t dx_pitch, bool add) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= g.N * g.H * g.W * g.C) return;
  const std::int64_t c = i % g.C, pixel = i / g.C;
  const std::int64_t v = pixel % g.W, h = pixel / g.W % g.H, n = pixel / g.W / g.H;
  float sum = 0;
  for (std::int64_t r = 0; r < g.R; ++r)
    for (std::int64_t s = 0; s < g.S; ++s) {
      const std::int64_t down = h + g.pad_top - r, right = v + g.pad_left - s;
      if (down < 0 || right < 0) continue;                              // above or left of y
      if (down % g.stride_h != 0 || right % g.stride_w != 0) continue;  // between two outputs
      const std::int64_t p = down / g.stride_h, q = right / g.stride_w;
      if (p >= g.P || q >= g.Q) continue;  // below or right of y
      const float* from = dy + ((n * g.P + p) * g.Q + q) * dy_pitch;
      for (std::int64_t k = 0; k < g.K; ++k)
        sum += from[k] * w[((k * g.R + r) * g.S + s) * g.C + c];
    }
  float& to = dx[pixel * dx_pitch + c];
  to = add ? to + sum : sum;
}

void conv2d_dgrad(KernelContext& context, const Conv2dDgrad& a) {
  const std::int64_t count = a.dx.shape.numel();
  gpu::launch(naive_conv_dgrad,
              {.grid = static_cast<unsigned>((count + kThreads - 1) / kThreads),
               .block = kThreads,
               .stream = static_cast<cudaStream_t>(context.stream),
               .name = "naive_conv_dgrad"},
              a.geometry, a.dy.as<float>(), a.dy.pitch, a.w.as<float>(), a.dx.as<float>(),
              a.dx.pitch, a.write == Write::accumulate);
}
