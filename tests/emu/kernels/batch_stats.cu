// Mean and sum of squared deviations of each channel, merged by Chan's rule (Chan, Golub & LeVeque,
// 1979): E[x^2] - E[x]^2 would cancel.
//
// Work: a block takes a chunk of rows and, one after another, the channels c = blockIdx.y + i *
// gridDim.y; its 128 threads stride over the rows, then merge by shuffles and through shared memory
// (48 bytes). A second launch merges the chunks in order: deterministic.
#include "kernels/cuda/gpu.h"
#include "tests/emu/kernels/examples.h"

namespace glia::emu_test {
namespace {

constexpr int kThreads = 128, kWarps = kThreads / 32;
constexpr unsigned kAll = 0xFFFFFFFFu;

struct Moments {
  float count, mean, m2;
};

struct Smem {
  Moments partial[kWarps];
};

__device__ Moments merge(Moments a, Moments b) {
  const float count = a.count + b.count;
  if (count == 0) return a;
  const float delta = b.mean - a.mean;
  return {count, a.mean + delta * (b.count / count),
          a.m2 + b.m2 + delta * delta * (a.count * b.count / count)};
}

__device__ Moments warp_merge(Moments m) {
  for (int step = 16; step > 0; step /= 2)
    m = merge(m, {__shfl_down_sync(kAll, m.count, step), __shfl_down_sync(kAll, m.mean, step),
                  __shfl_down_sync(kAll, m.m2, step)});
  return m;
}

__global__ void __launch_bounds__(kThreads)
    batch_stats_partial(const float* x, Moments* partials, int rows, int channels, Bug bug) {
  Smem& smem = gpu::shared<Smem>();
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int chunk = (rows + gridDim.x - 1) / gridDim.x;
  const int begin = blockIdx.x * chunk;
  const int end = min(rows, begin + chunk) + (bug == Bug::rows_off_by_one ? 1 : 0);

  for (int c = blockIdx.y; c < channels; c += gridDim.y) {
    Moments mine = {0, 0, 0};
    for (int row = begin + threadIdx.x; row < end; row += kThreads)
      mine = merge(mine, {1, x[static_cast<long long>(row) * channels + c], 0});

    if (bug == Bug::divergent_shuffle) {
      if (lane < 16) mine.count += 0 * __shfl_down_sync(kAll, mine.count, 1);
    }
    if (bug == Bug::mask_without_lane) mine.count += 0 * __shfl_sync(0x0000FFFFu, mine.count, 0);
    mine = warp_merge(mine);
    if (lane == 0) smem.partial[warp] = mine;
    if (bug == Bug::early_return && warp == 2) return;
    // Partials are complete before warp 0 reads them.
    if (bug == Bug::divergent_barrier) {
      if (warp == 0) __syncthreads();
    } else if (bug != Bug::no_barrier_after_write) {
      __syncthreads();
    }
    if (warp == 0) {
      mine = Moments{0, 0, 0};
      if (lane < kWarps || (bug == Bug::uninitialised_partial && lane == kWarps))
        mine = smem.partial[lane];
      mine = warp_merge(mine);
      if (lane == 0) partials[blockIdx.x * channels + c] = mine;
    }
    // Warp 0 has read the partials before the next channel overwrites them.
    if (bug != Bug::no_barrier_before_reuse) __syncthreads();
  }
}

// A thread a channel.
__global__ void batch_stats_merge(const Moments* partials, float* mean, float* m2, int channels,
                                  int chunks) {
  const int c = blockIdx.x * blockDim.x + threadIdx.x;
  if (c >= channels) return;
  Moments all = {0, 0, 0};
  for (int i = 0; i < chunks; ++i) all = merge(all, partials[i * channels + c]);
  mean[c] = all.mean;
  m2[c] = all.m2;
}

}  // namespace

void batch_stats(const float* x, float* mean, float* m2, float* partials, int rows, int channels,
                 int chunks, Bug bug) {
  auto* moments = reinterpret_cast<Moments*>(partials);
  gpu::launch(batch_stats_partial,
              {.grid = dim3(chunks, (channels + 1) / 2),
               .block = kThreads,
               .smem_bytes = sizeof(Smem) + (bug == Bug::uninitialised_partial ? 64 : 0),
               .name = "batch_stats_partial"},
              x, moments, rows, channels, bug);
  gpu::launch(batch_stats_merge,
              {.grid = (channels + 63) / 64, .block = 64, .name = "batch_stats_merge"}, moments,
              mean, m2, channels, chunks);
}

}  // namespace glia::emu_test
