// c = a * b on tensor cores: bf16 operands, f32 sums.
//
// Work: a block computes 64x64 of c with four warps of 32x32 each; the depth goes in slices of 32
// through a ring of three stages that cp.async fills two ahead. Shared memory: three stages of a
// (64x40) and b (32x72) in bf16, 29184 bytes; rows are padded by 8 elements so that the eight rows
// of an ldmatrix start in different banks.
#include "kernels/cuda/gpu.h"
#include "kernels/cuda/ptx.h"
#include "tests/emu/kernels/examples.h"

namespace glia::emu_test {
namespace {

constexpr int kM = 64, kN = 64, kDepth = 32, kStages = 3, kThreads = 128;

template <int kPad>
struct Smem {
  alignas(16) std::uint16_t a[kStages][kM][kDepth + kPad];
  alignas(16) std::uint16_t b[kStages][kDepth][kN + kPad];
};

/// Starts the copies of slice `slice` into its stage; beyond the matrices zeros arrive.
template <int kPad>
__device__ void load_slice(Smem<kPad>& smem, const std::uint16_t* a, const std::uint16_t* b, int M,
                           int N, int K, int slice, Bug bug) {
  const int stage = slice % kStages, k0 = slice * kDepth;
  const int m0 = blockIdx.y * kM, n0 = blockIdx.x * kN;
  for (int i = threadIdx.x; i < kM * kDepth / 8; i += kThreads) {
    const int row = i / (kDepth / 8), k = k0 + i % (kDepth / 8) * 8;
    const bool inside = m0 + row < M && k < K;
    ptx::cp_async<16>(&smem.a[stage][row][k - k0],
                      inside ? a + static_cast<long long>(m0 + row) * K + k : a, inside);
  }
  for (int i = threadIdx.x; i < kDepth * kN / 8; i += kThreads) {
    const int row = i / (kN / 8), n = n0 + i % (kN / 8) * 8;
    const bool inside = k0 + row < K && (n < N || bug == Bug::gemm_columns_not_bounded);
    ptx::cp_async<16>(&smem.b[stage][row][n - n0],
                      inside ? b + static_cast<long long>(k0 + row) * N + n : b, inside);
  }
}

template <int kPad>
__global__ void __launch_bounds__(kThreads)
    gemm_bf16_mma(const std::uint16_t* a, const std::uint16_t* b, float* c, int M, int N, int K,
                  Bug bug) {
  auto& smem = gpu::shared<Smem<kPad>>();
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int wm = warp / 2 * 32, wn = warp % 2 * 32;
  const int slices = (K + kDepth - 1) / kDepth;
  float sum[2][4][4] = {};

  for (int s = 0; s < kStages - 1; ++s) {
    if (s < slices) load_slice(smem, a, b, M, N, K, s, bug);
    ptx::cp_async_commit();
  }
  for (int s = 0; s < slices; ++s) {
    // All but the latest group have landed: slice s is there, for this thread.
    if (bug == Bug::weak_wait)
      ptx::cp_async_wait<kStages - 1>();
    else if (bug != Bug::no_wait)
      ptx::cp_async_wait<kStages - 2>();
    // Slice s is there for all; and all have finished with slice s - 1, whose stage is refilled
    // now.
    if (bug != Bug::no_barrier_after_wait && bug != Bug::no_barrier_before_refill) __syncthreads();
    const int next = s + kStages - 1;
    if (next < slices) load_slice(smem, a, b, M, N, K, next, bug);
    ptx::cp_async_commit();
    // Placed here it protects the data that arrived, but not the stage that the copies overwrite.
    if (bug == Bug::no_barrier_before_refill) __syncthreads();

    const int stage = s % kStages;
    for (int k = 0; k < kDepth; k += 16) {
      std::uint32_t fa[2][4], fb[4][2];
      for (int i = 0; i < 2; ++i)
        ptx::ldmatrix<4>(fa[i], &smem.a[stage][wm + 16 * i + lane % 16][k + lane / 16 * 8]);
      for (int j = 0; j < 4; ++j) {
        const std::uint16_t* row = &smem.b[stage][k + lane % 16][wn + 8 * j];
        if (bug == Bug::not_transposed)
          ptx::ldmatrix<2>(fb[j], row);
        else
          ptx::ldmatrix<2, true>(fb[j], row);
      }
      for (int i = 0; i < 2; ++i) {
        if (bug == Bug::wrong_fragment) {
          const std::uint32_t kept = fa[i][1];
          fa[i][1] = fa[i][2];
          fa[i][2] = kept;
        }
        for (int j = 0; j < 4; ++j)
          if (bug != Bug::divergent_mma || lane != 7 || j != 3)
            ptx::mma_bf16_m16n8k16(sum[i][j], fa[i], fb[j]);
      }
    }
  }
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 4; ++j)
      for (int e = 0; e < 4; ++e) {
        const int m = blockIdx.y * kM + wm + 16 * i + lane / 4 + e / 2 * 8;
        const int n = blockIdx.x * kN + wn + 8 * j + lane % 4 * 2 + e % 2;
        if (m < M && n < N) c[static_cast<long long>(m) * N + n] = sum[i][j][e];
      }
}

__global__ void mma_tf32_once(const float* a, const float* b, float* d) {
  const int g = threadIdx.x / 4, t = threadIdx.x % 4;
  const std::uint32_t fa[4] = {ptx::to_tf32(a[g * 8 + t]), ptx::to_tf32(a[(g + 8) * 8 + t]),
                               ptx::to_tf32(a[g * 8 + t + 4]),
                               ptx::to_tf32(a[(g + 8) * 8 + t + 4])};
  const std::uint32_t fb[2] = {ptx::to_tf32(b[t * 8 + g]), ptx::to_tf32(b[(t + 4) * 8 + g])};
  float sum[4] = {};
  ptx::mma_tf32_m16n8k8(sum, fa, fb);
  for (int e = 0; e < 4; ++e) d[(g + e / 2 * 8) * 8 + 2 * t + e % 2] = sum[e];
}

}  // namespace

void gemm_bf16(const std::uint16_t* a, const std::uint16_t* b, float* c, int M, int N, int K,
               bool padded, Bug bug) {
  const dim3 grid((N + kN - 1) / kN, (M + kM - 1) / kM);
  if (padded)
    gpu::launch(
        gemm_bf16_mma<8>,
        {.grid = grid, .block = kThreads, .smem_bytes = sizeof(Smem<8>), .name = "gemm_bf16_mma"},
        a, b, c, M, N, K, bug);
  else
    gpu::launch(gemm_bf16_mma<0>,
                {.grid = grid,
                 .block = kThreads,
                 .smem_bytes = sizeof(Smem<0>),
                 .name = "gemm_bf16_mma unpadded"},
                a, b, c, M, N, K, bug);
}

void mma_tf32(const float* a, const float* b, float* d) {
  gpu::launch(mma_tf32_once, {.grid = 1, .block = 32, .name = "mma_tf32_once"}, a, b, d);
}

}  // namespace glia::emu_test
