// A 3x3 convolution of stride 1 by tiles of 8x8 pixels and 16 output channels, input channels four
// at a time: the file that docs/your-kernel.md comes to. Shared memory: a halo tile and its
// weights.
#include "kernels/api/plugin.h"
#include "kernels/cuda/gpu.h"

using namespace glia;

constexpr int kTile = 8, kHalo = kTile + 2, kSlice = 4, kOut = 16, kThreads = kTile * kTile;

struct Smem {
  float x[kHalo * kHalo][kSlice];
  float w[9][kSlice][kOut];
};

struct Operands {
  const float *x, *w, *b;
  float* y;
  std::int64_t x_pitch, y_pitch;
};

__global__ void __launch_bounds__(kThreads) halo3x3(ConvGeometry g, Operands a, int across) {
  Smem& smem = gpu::shared<Smem>();
  const std::int64_t n = blockIdx.z, k0 = blockIdx.y * kOut;
  const std::int64_t p0 = blockIdx.x / across * kTile, q0 = blockIdx.x % across * kTile;
  const int ph = threadIdx.x / kTile, pw = threadIdx.x % kTile;
  float sum[kOut] = {};
  for (std::int64_t c0 = 0; c0 < g.C; c0 += kSlice) {
    for (int i = threadIdx.x; i < kHalo * kHalo * kSlice; i += kThreads) {
      const std::int64_t c = c0 + i % kSlice, row = p0 + i / kSlice / kHalo - g.pad_top;
      const std::int64_t column = q0 + i / kSlice % kHalo - g.pad_left;
      const bool inside = row >= 0 && row < g.H && column >= 0 && column < g.W && c < g.C;
      smem.x[i / kSlice][i % kSlice] =
          inside ? a.x[((n * g.H + row) * g.W + column) * a.x_pitch + c] : 0;
    }
    for (int i = threadIdx.x; i < 9 * kSlice * kOut; i += kThreads) {
      const std::int64_t k = k0 + i % kOut, c = c0 + i / kOut % kSlice;
      const int tap = i / kOut / kSlice;
      smem.w[tap][i / kOut % kSlice][i % kOut] =
          k < g.K && c < g.C ? a.w[(k * 9 + tap) * g.C + c] : 0;
    }
    __syncthreads();  // the slice is complete
    for (int tap = 0; tap < 9; ++tap)
      for (int c = 0; c < kSlice; ++c)
        for (int k = 0; k < kOut; ++k)
          sum[k] += smem.x[(ph + tap / 3) * kHalo + pw + tap % 3][c] * smem.w[tap][c][k];
    __syncthreads();  // and used before the next one overwrites it
  }
  if (p0 + ph >= g.P || q0 + pw >= g.Q) return;
  float* to = a.y + ((n * g.P + p0 + ph) * g.Q + q0 + pw) * a.y_pitch;
  for (int k = 0; k < kOut && k0 + k < g.K; ++k) to[k0 + k] = sum[k] + (a.b ? a.b[k0 + k] : 0);
}

void conv2d_forward(KernelContext& context, const Conv2dForward& a) {
  const ConvGeometry& g = a.geometry;
  if (g.R != 3 || g.S != 3 || g.stride_h != 1 || g.stride_w != 1) decline("only 3x3 of stride 1");
  const auto tiles = [](std::int64_t n, int tile) {
    return static_cast<unsigned>((n + tile - 1) / tile);
  };
  const unsigned across = tiles(g.Q, kTile);
  gpu::launch(
      halo3x3,
      {.grid = dim3(tiles(g.P, kTile) * across, tiles(g.K, kOut), static_cast<unsigned>(g.N)),
       .block = kThreads,
       .smem_bytes = sizeof(Smem),
       .stream = static_cast<cudaStream_t>(context.stream),
       .name = "halo3x3"},
      g,
      Operands{a.x.as<float>(), a.w.as<float>(), a.b.as<float>(), a.y.as<float>(), a.x.pitch,
               a.y.pitch},
      static_cast<int>(across));
}
