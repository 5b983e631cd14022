// One warp-wide instruction after another, their results side by side for the tests.
#include "kernels/cuda/gpu.h"
#include "kernels/cuda/ptx.h"
#include "tests/emu/kernels/examples.h"

namespace glia::emu_test {
namespace {

constexpr unsigned kAll = 0xFFFFFFFFu;

__global__ void warp_ops_kernel(int* out) {
  const int lane = threadIdx.x % 32;
  int* mine = out + threadIdx.x * kWarpOps;
  mine[0] = __shfl_sync(kAll, lane, 5);
  mine[1] = __shfl_sync(kAll, lane, 1, 8);
  mine[2] = __shfl_xor_sync(kAll, lane, 3);
  mine[3] = __shfl_down_sync(kAll, lane, 4);
  mine[4] = __shfl_up_sync(kAll, lane, 4, 16);
  mine[5] = static_cast<int>(__ballot_sync(kAll, lane % 3 == 0));
  mine[6] = __any_sync(kAll, lane == 7) + 2 * __any_sync(kAll, lane == 99);
  mine[7] = __all_sync(kAll, lane < 32) + 2 * __all_sync(kAll, lane < 31);
  mine[8] = __syncthreads_count(threadIdx.x % 5 == 0);
  mine[9] = __syncthreads_and(1) + 2 * __syncthreads_and(threadIdx.x != 40);
  mine[10] = __syncthreads_or(0) + 2 * __syncthreads_or(threadIdx.x == 40);
  // Halves of a warp meet on their own before all of it does.
  const unsigned half = lane < 16 ? 0x0000FFFFu : 0xFFFF0000u;
  mine[11] = __shfl_xor_sync(half, lane, 1);
  __syncwarp(kAll);
}

struct Smem {
  alignas(16) std::uint16_t matrix[32][8];
};

__global__ void ldmatrix_kernel(std::uint32_t* plain, std::uint32_t* transposed) {
  Smem& smem = gpu::shared<Smem>();
  const int lane = threadIdx.x;
  for (int c = 0; c < 8; ++c) smem.matrix[lane][c] = static_cast<std::uint16_t>(lane * 8 + c);
  // The matrices are complete.
  __syncthreads();
  std::uint32_t registers[4];
  ptx::ldmatrix<4>(registers, smem.matrix[lane]);
  for (int i = 0; i < 4; ++i) plain[lane * 4 + i] = registers[i];
  ptx::ldmatrix<4, true>(registers, smem.matrix[lane]);
  for (int i = 0; i < 4; ++i) transposed[lane * 4 + i] = registers[i];
}

}  // namespace

void warp_ops(int* out) {
  gpu::launch(warp_ops_kernel, {.grid = 1, .block = 64, .name = "warp_ops"}, out);
}

void ldmatrix_both(std::uint32_t* plain, std::uint32_t* transposed) {
  gpu::launch(ldmatrix_kernel,
              {.grid = 1, .block = 32, .smem_bytes = sizeof(Smem), .name = "ldmatrix"}, plain,
              transposed);
}

}  // namespace glia::emu_test
