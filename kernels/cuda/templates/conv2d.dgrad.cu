// conv2d.dgrad: a thread computes an element of dx. What it gets: kernels/api/conv2d.h.
#include "kernels/api/plugin.h"
#include "kernels/cuda/gpu.h"

using namespace glia;

constexpr int kThreads = 128;

__global__ void __launch_bounds__(kThreads)
    my_conv2d_dgrad(ConvGeometry g, const float* dy, std::int64_t dy_pitch, const float* w,
                    float* dx, std::int64_t dx_pitch, bool add) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= g.N * g.H * g.W * g.C) return;
  const std::int64_t c = i % g.C, pixel = i / g.C, image = pixel / g.W / g.H;
  float sum = 0;
  for (std::int64_t r = 0; r < g.R; ++r)
    for (std::int64_t s = 0; s < g.S; ++s) {
      // The output pixel that read this one through window position (r, s), if there is one.
      const std::int64_t down = pixel / g.W % g.H + g.pad_top - r;
      const std::int64_t right = pixel % g.W + g.pad_left - s;
      if (down < 0 || right < 0 || down % g.stride_h || right % g.stride_w) continue;
      const std::int64_t p = down / g.stride_h, q = right / g.stride_w;
      if (p >= g.P || q >= g.Q) continue;
      const float* from = dy + ((image * g.P + p) * g.Q + q) * dy_pitch;
      for (std::int64_t k = 0; k < g.K; ++k)
        sum += from[k] * w[((k * g.R + r) * g.S + s) * g.C + c];
    }
  float& to = dx[pixel * dx_pitch + c];  // a channel slice of a wider buffer has a wider pitch
  to = add ? to + sum : sum;
}

void conv2d_dgrad(KernelContext& context, const Conv2dDgrad& a) {
  gpu::launch(my_conv2d_dgrad,
              {.grid = static_cast<unsigned>((a.dx.shape.numel() + kThreads - 1) / kThreads),
               .block = kThreads,
               .stream = static_cast<cudaStream_t>(context.stream)},
              a.geometry, a.dy.as<float>(), a.dy.pitch, a.w.as<float>(), a.dx.as<float>(),
              a.dx.pitch, a.write == Write::accumulate);
}
