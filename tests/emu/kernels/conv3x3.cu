// y[h, w, k] = sum over r, s, c of x[h + r - 1, w + s - 1, c] * w[k, r, s, c]; outside pixels are
// 0.
//
// Work: a block computes 8x8 pixels times 16 output channels with 64 threads, a pixel each. Input
// channels come in slices of 4. Shared memory: a 10x10x4 halo tile and 16x9x4 weights, 3904 bytes.
#include "kernels/cuda/gpu.h"
#include "tests/emu/kernels/examples.h"

namespace glia::emu_test {
namespace {

constexpr int kTile = 8, kHalo = kTile + 2, kSlice = 4, kOut = 16, kThreads = kTile * kTile;

struct Smem {
  float x[kHalo * kHalo][kSlice];
  float w[9][kSlice][kOut];
};

__global__ void __launch_bounds__(kThreads)
    conv3x3_tiled(const float* x, const float* w, float* y, int H, int W, int C, int K, Bug bug) {
  Smem& smem = gpu::shared<Smem>();
  const int h0 = blockIdx.y * kTile, w0 = blockIdx.x * kTile, k0 = blockIdx.z * kOut;
  const int ph = threadIdx.x / kTile, pw = threadIdx.x % kTile;
  float sum[kOut] = {};

  for (int c0 = 0; c0 < C; c0 += kSlice) {
    for (int i = threadIdx.x; i < kHalo * kHalo * kSlice; i += kThreads) {
      const int c = i % kSlice, pixel = i / kSlice;
      const int h = h0 + pixel / kHalo - 1, v = w0 + pixel % kHalo - 1;
      const bool inside = h >= 0 && h < H && v >= 0 && v < W && c0 + c < C;
      if (!inside && bug == Bug::halo_not_loaded) continue;
      const bool load = inside || (bug == Bug::image_not_bounded && c0 + c < C);
      smem.x[pixel][c] = load ? x[(static_cast<long long>(h) * W + v) * C + c0 + c] : 0;
    }
    const int count = 9 * kSlice * kOut + (bug == Bug::shared_out_of_bounds ? 1 : 0);
    for (int i = threadIdx.x; i < count; i += kThreads) {
      const int k = i % kOut, c = i / kOut % kSlice, tap = i / kOut / kSlice;
      const bool inside = k0 + k < K && c0 + c < C && tap < 9;
      smem.w[tap][c][k] = inside ? w[((k0 + k) * 9 + tap) * C + c0 + c] : 0;
    }
    // The slice is complete before anybody multiplies with it.
    if (bug != Bug::conv_no_barrier_after_load) __syncthreads();
    for (int tap = 0; tap < 9; ++tap)
      for (int c = 0; c < kSlice; ++c) {
        const int row = ph + tap / 3 + (bug == Bug::tile_off_by_one ? 1 : 0);
        const float pixel = smem.x[row * kHalo + pw + tap % 3][c];
        for (int k = 0; k < kOut; ++k) sum[k] += pixel * smem.w[tap][c][k];
      }
    // Everybody has used the slice before the next one overwrites it.
    if (bug != Bug::conv_no_barrier_before_reload) __syncthreads();
  }
  const int h = h0 + ph, v = w0 + pw;
  if (h >= H || v >= W) return;
  for (int k = 0; k < kOut && k0 + k < K; ++k)
    y[(static_cast<long long>(h) * W + v) * K + k0 + k] = sum[k];
}

}  // namespace

void conv3x3(const float* x, const float* w, float* y, int H, int W, int C, int K, Bug bug) {
  gpu::launch(
      conv3x3_tiled,
      {.grid = dim3((W + kTile - 1) / kTile, (H + kTile - 1) / kTile, (K + kOut - 1) / kOut),
       .block = kThreads,
       .smem_bytes = sizeof(Smem),
       .name = "conv3x3_tiled"},
      x, w, y, H, W, C, K, bug);
}

}  // namespace glia::emu_test
