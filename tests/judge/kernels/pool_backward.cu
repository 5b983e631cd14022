// max_pool2d.backward: a thread computes an element of dx. docs/ops/max_pool2d.md
#include "kernels/api/plugin.h"
#include "kernels/cuda/gpu.h"

using namespace glia;

constexpr int kThreads = 128;

struct Gradient {
  const float* dy;
  const std::uint8_t* index;
  float* dx;
  std::int64_t dy_pitch, index_pitch, dx_pitch;
};

__global__ void naive_pool_backward(PoolGeometry g, Gradient a, bool add) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= g.N * g.H * g.W * g.C) return;
  const std::int64_t c = i % g.C, pixel = i / g.C;
  const std::int64_t v = pixel % g.W, h = pixel / g.W % g.H, n = pixel / g.W / g.H;
  float sum = 0;
  for (std::int64_t r = 0; r < g.window; ++r)
    for (std::int64_t s = 0; s < g.window; ++s) {
      // The window in which this element has the place (r, s), if there is one.
      const std::int64_t down = h - r, right = v - s;
      if (down < 0 || right < 0 || down % g.stride != 0 || right % g.stride != 0) continue;
      const std::int64_t p = down / g.stride, q = right / g.stride;
      if (p >= g.P || q >= g.Q) continue;
      const std::int64_t from = (n * g.P + p) * g.Q + q;
      if (a.index[from * a.index_pitch + c] == r * g.window + s) sum += a.dy[from * a.dy_pitch + c];
    }
  float& to = a.dx[pixel * a.dx_pitch + c];
  to = add ? to + sum : sum;
}

void max_pool2d_backward(KernelContext& context, const MaxPool2dBackward& a) {
  const std::int64_t count = a.dx.shape.numel();
  gpu::launch(naive_pool_backward,
              {.grid = static_cast<unsigned>((count + kThreads - 1) / kThreads),
               .block = kThreads,
               .stream = static_cast<cudaStream_t>(context.stream),
               .name = "naive_pool_backward"},
              a.geometry,
              Gradient{a.dy.as<float>(), a.index.as<std::uint8_t>(), a.dx.as<float>(), a.dy.pitch,
                       a.index.pitch, a.dx.pitch},
              a.write == Write::accumulate);
}
