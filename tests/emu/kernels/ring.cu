// Row sums through a ring of shared buffers: warp 0 produces with bulk copies, warps 1 to 3
// consume. The mbarrier full[s] completes when stage s holds its row (one arrival and the row's
// bytes), empty[s] when the three consumers have read it. Shared memory: three rows of 1024 bytes
// and six mbarriers, 3120 bytes. Needs sm_90.
#include "kernels/cuda/gpu.h"
#include "kernels/cuda/ptx.h"
#include "tests/emu/kernels/examples.h"

namespace glia::emu_test {
namespace {

constexpr int kStages = 3, kConsumers = 3, kThreads = 32 * (1 + kConsumers), kMaxColumns = 256;

struct Smem {
  alignas(16) float row[kStages][kMaxColumns];
  ptx::Mbarrier full[kStages], empty[kStages];
};

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
__device__ void produce(Smem& smem, const float* x, int rows, int columns, Bug bug) {
  const auto bytes = static_cast<std::uint32_t>(columns * sizeof(float));
  for (int i = 0; static_cast<int>(blockIdx.x + i * gridDim.x) < rows; ++i) {
    const int stage = i % kStages, round = i / kStages;
    // The stage's last row has been consumed. (The first wait passes: no phase came before.)
    if (bug != Bug::no_empty_wait) ptx::mbarrier_wait(&smem.empty[stage], (round & 1) ^ 1);
    const std::uint32_t expected = bug == Bug::too_few_bytes_expected    ? bytes - 16
                                   : bug == Bug::too_many_bytes_expected ? bytes + 16
                                                                         : bytes;
    if (bug == Bug::bytes_not_expected)
      ptx::mbarrier_arrive(&smem.full[stage]);
    else
      ptx::mbarrier_arrive_expect_bytes(&smem.full[stage], expected);
    const long long row = blockIdx.x + static_cast<long long>(i) * gridDim.x;
    ptx::bulk_copy(smem.row[stage], x + row * columns, bytes, &smem.full[stage]);
  }
}

__device__ void consume(Smem& smem, float* y, int rows, int columns, Bug bug) {
  const int lane = threadIdx.x % 32, consumer = threadIdx.x / 32 - 1;
  for (int i = 0; static_cast<int>(blockIdx.x + i * gridDim.x) < rows; ++i) {
    const int stage = i % kStages, round = i / kStages;
    // The stage holds row i.
    if (bug != Bug::no_full_wait)
      ptx::mbarrier_wait(&smem.full[stage], (round & 1) ^ (bug == Bug::wrong_full_parity ? 1 : 0));
    float sum = 0;
    // Each consumer takes every third row alone, so that rows finish out of step.
    if (i % kConsumers == consumer)
      for (int c = lane; c < columns; c += 32) sum += smem.row[stage][c];
    for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xFFFFFFFFu, sum, step);
    if (i % kConsumers == consumer && lane == 0) y[blockIdx.x + i * gridDim.x] = sum;
    // All lanes have read before one of them frees the stage.
    __syncwarp(0xFFFFFFFFu);
    if (lane == 0 && !(bug == Bug::no_empty_arrive && consumer == 1))
      ptx::mbarrier_arrive(&smem.empty[stage]);
  }
}
#endif

__global__ void __launch_bounds__(kThreads)
    row_sums_ring_kernel(const float* x, float* y, int rows, int columns, Bug bug) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
  Smem& smem = gpu::shared<Smem>();
  if (threadIdx.x == 0 && bug != Bug::barriers_not_initialised) {
    for (int s = 0; s < kStages; ++s) {
      ptx::mbarrier_init(&smem.full[s], bug == Bug::wrong_arrival_count ? 2 : 1);
      ptx::mbarrier_init(&smem.empty[s], kConsumers);
    }
    ptx::fence_mbarrier_init();
  }
  // The mbarriers exist before anybody uses them.
  if (bug != Bug::no_barrier_after_init) __syncthreads();
  if (threadIdx.x == 0) produce(smem, x, rows, columns, bug);
  if (threadIdx.x >= 32) consume(smem, y, rows, columns, bug);
#endif
}

}  // namespace

void row_sums_ring(const float* x, float* y, int rows, int columns, Bug bug) {
  gpu::launch(row_sums_ring_kernel,
              {.grid = 2, .block = kThreads, .smem_bytes = sizeof(Smem), .name = "row_sums_ring"},
              x, y, rows, columns, bug);
}

}  // namespace glia::emu_test
