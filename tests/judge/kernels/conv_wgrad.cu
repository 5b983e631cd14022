// conv2d.wgrad: a thread computes an element of dw, or of db. docs/ops/conv2d.md
#include "kernels/api/plugin.h"
#include "kernels/cuda/gpu.h"

using namespace glia;

constexpr int kThreads = 128;

__global__ void naive_conv_wgrad(ConvGeometry g, const float* dy, std::int64_t dy_pitch,
                                 const float* x, std::int64_t x_pitch, float* dw, bool add) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= g.K * g.R * g.S * g.C) return;
  const std::int64_t c = i % g.C, s = i / g.C % g.S, r = i / g.C / g.S % g.R;
  const std::int64_t k = i / g.C / g.S / g.R;
  double sum = 0;
  for (std::int64_t n = 0; n < g.N; ++n)
    for (std::int64_t p = 0; p < g.P; ++p)
      for (std::int64_t q = 0; q < g.Q; ++q) {
        const std::int64_t h = p * g.stride_h + r - g.pad_top;
        const std::int64_t v = q * g.stride_w + s - g.pad_left;
        if (h < 0 || h >= g.H || v < 0 || v >= g.W) continue;  // x counts as 0 there
        const double from = x[((n * g.H + h) * g.W + v) * x_pitch + c];
        sum += from * dy[((n * g.P + p) * g.Q + q) * dy_pitch + k];
      }
  const float share = static_cast<float>(sum);
  dw[i] = add ? dw[i] + share : share;
}

__global__ void naive_conv_bias(ConvGeometry g, const float* dy, std::int64_t dy_pitch, float* db,
                                bool add) {
  const std::int64_t k = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (k >= g.K) return;
  double sum = 0;
  for (std::int64_t i = 0; i < g.N * g.P * g.Q; ++i) sum += dy[i * dy_pitch + k];
  const float share = static_cast<float>(sum);
  db[k] = add ? db[k] + share : share;
}

void conv2d_wgrad(KernelContext& context, const Conv2dWgrad& a) {
  const ConvGeometry& g = a.geometry;
  const auto launch_for = [&](std::int64_t count, const char* name) {
    return gpu::LaunchConfig{.grid = static_cast<unsigned>((count + kThreads - 1) / kThreads),
                             .block = kThreads,
                             .stream = static_cast<cudaStream_t>(context.stream),
                             .name = name};
  };
  gpu::launch(naive_conv_wgrad, launch_for(g.K * g.R * g.S * g.C, "naive_conv_wgrad"), g,
              a.dy.as<float>(), a.dy.pitch, a.x.as<float>(), a.x.pitch, a.dw.as<float>(),
              a.write == Write::accumulate);
  if (a.db)
    gpu::launch(naive_conv_bias, launch_for(g.K, "naive_conv_bias"), g, a.dy.as<float>(),
                a.dy.pitch, a.db.as<float>(), a.write_bias == Write::accumulate);
}
