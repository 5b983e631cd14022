// Counts of a segmentation's hits and misses: each warp turns its pixels round through shared
// memory (an exchange that needs no block barrier), then counts go to shared and device counters.
#include "kernels/cuda/gpu.h"
#include "tests/emu/kernels/examples.h"

namespace glia::emu_test {
namespace {

constexpr int kThreads = 64;

struct Smem {
  unsigned counts[4];
  unsigned char kind[kThreads];
};

__global__ void confusion_count(const float* p, const float* t, unsigned* counts, int n, Bug bug) {
  Smem& smem = gpu::shared<Smem>();
  if (threadIdx.x < 4 && bug != Bug::counters_not_cleared) smem.counts[threadIdx.x] = 0;
  // Counters are zero before the first count.
  __syncthreads();
  const int i = blockIdx.x * kThreads + threadIdx.x;
  const int last = min(n, static_cast<int>(blockIdx.x + 1) * kThreads) - blockIdx.x * kThreads;
  if (i < n)
    smem.kind[threadIdx.x] =
        static_cast<unsigned char>(p[i] > 0.5f ? (t[i] > 0.5f ? 0 : 1) : (t[i] > 0.5f ? 2 : 3));
  // The warp's kinds are written before its lanes read each other's.
  if (bug != Bug::no_syncwarp) __syncwarp(0xFFFFFFFFu);
  const int mirrored = (threadIdx.x & ~31) + 31 - (threadIdx.x & 31);
  if (mirrored < last) {
    const int kind = smem.kind[mirrored];
    if (bug == Bug::no_shared_atomic)
      smem.counts[kind] += 1;
    else
      atomicAdd(&smem.counts[kind], 1u);
  }
  // Every count is in before the block adds them to the total.
  __syncthreads();
  if (threadIdx.x < 4) {
    if (bug == Bug::no_device_atomic)
      counts[threadIdx.x] += smem.counts[threadIdx.x];
    else
      atomicAdd(&counts[threadIdx.x], smem.counts[threadIdx.x]);
  }
}

}  // namespace

void confusion(const float* p, const float* t, unsigned* counts, int n, Bug bug) {
  gpu::launch(confusion_count,
              {.grid = (n + kThreads - 1) / kThreads,
               .block = kThreads,
               .smem_bytes = sizeof(Smem),
               .name = "confusion_count"},
              p, t, counts, n, bug);
}

}  // namespace glia::emu_test
