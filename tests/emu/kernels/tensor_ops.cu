// Single instructions around tensor cores and two ways of loading, for the tests: each kernel is
// one warp.
#include "kernels/cuda/gpu.h"
#include "kernels/cuda/ptx.h"
#include "tests/emu/kernels/examples.h"

namespace glia::emu_test {
namespace {

struct MatrixSmem {
  alignas(16) std::uint16_t rows[32][8];
};

template <int kMatrices, bool kTransposed>
__global__ void __launch_bounds__(32) stmatrix_kernel(std::uint16_t* out) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
  auto& smem = gpu::shared<MatrixSmem>();
  const int lane = threadIdx.x;
  for (int c = 0; c < 8; ++c) smem.rows[lane][c] = 0xFFFF;
  // The matrices are stored over these.
  __syncthreads();
  std::uint32_t registers[kMatrices];
  for (int m = 0; m < kMatrices; ++m) {
    const unsigned first = 64 * m + 2 * lane;  // the lane's elements of matrix m
    registers[m] = first | (first + 1) << 16;
  }
  ptx::stmatrix<kMatrices, kTransposed>(smem.rows[lane], registers);
  // Others' lanes wrote this lane's row.
  __syncthreads();
  for (int c = 0; c < 8; ++c) out[lane * 8 + c] = smem.rows[lane][c];
#endif
}

__global__ void __launch_bounds__(32)
    packed_kernel(const float* x, const std::uint32_t* abc, std::uint32_t* out, int n) {
  for (int i = threadIdx.x; i < n; i += 32) {
    out[4 * i] = ptx::pack_bf16(x[2 * i], x[2 * i + 1]);
    out[4 * i + 1] = ptx::pack_bf16_relu(x[2 * i], x[2 * i + 1]);
    out[4 * i + 2] = ptx::fma_relu_bf16x2(abc[3 * i], abc[3 * i + 1], abc[3 * i + 2]);
    out[4 * i + 3] = ptx::max_bf16x2(abc[3 * i], abc[3 * i + 1]);
  }
}

__device__ unsigned pair(const std::uint16_t* x) {
  return x[0] | static_cast<unsigned>(x[1]) << 16;
}

__global__ void __launch_bounds__(32)
    mma_bf16_once(const std::uint16_t* a, const std::uint16_t* bt, const float* c, float* d) {
  const int g = threadIdx.x / 4, t = threadIdx.x % 4 * 2;
  const std::uint32_t fa[4] = {pair(&a[g * 16 + t]), pair(&a[(g + 8) * 16 + t]),
                               pair(&a[g * 16 + t + 8]), pair(&a[(g + 8) * 16 + t + 8])};
  const std::uint32_t fb[2] = {pair(&bt[g * 16 + t]), pair(&bt[g * 16 + t + 8])};
  float sum[4];
  for (int e = 0; e < 4; ++e) sum[e] = c[(g + e / 2 * 8) * 8 + t + e % 2];
  ptx::mma_bf16_m16n8k16(sum, fa, fb);
  for (int e = 0; e < 4; ++e) d[(g + e / 2 * 8) * 8 + t + e % 2] = sum[e];
}

struct CopySmem {
  float4 tile[64];
};

__global__ void __launch_bounds__(32) copies_kernel(const float4* x, float4* y, int valid) {
  auto& smem = gpu::shared<CopySmem>();
  const int lane = threadIdx.x;
  for (int i = 0; i < 2; ++i) {
    // Every third lane is outside, so that zeros and copies mix in one instruction.
    const bool inside = 32 * i + lane < valid && lane % 3 != 0;
    ptx::cp_async<16>(&smem.tile[32 * i + lane], x + (inside ? 32 * i + lane : 0), inside);
  }
  ptx::cp_async_commit();
  ptx::cp_async_wait<0>();
  __syncthreads();
  for (int i = 0; i < 2; ++i) {
    const float4 v = smem.tile[32 * i + (lane ^ 1)];
    y[32 * i + lane] = {v.w, v.z, v.y, v.x};
  }
}

template <int kMatrices, bool kTransposed>
void launch_stmatrix(std::uint16_t* out) {
  gpu::launch(stmatrix_kernel<kMatrices, kTransposed>,
              {.grid = 1, .block = 32, .smem_bytes = sizeof(MatrixSmem), .name = "stmatrix"}, out);
}

}  // namespace

void stmatrix(std::uint16_t* out, int matrices, bool transposed) {
  if (matrices == 1) transposed ? launch_stmatrix<1, true>(out) : launch_stmatrix<1, false>(out);
  if (matrices == 2) transposed ? launch_stmatrix<2, true>(out) : launch_stmatrix<2, false>(out);
  if (matrices == 4) transposed ? launch_stmatrix<4, true>(out) : launch_stmatrix<4, false>(out);
}

void packed_bf16(const float* x, const std::uint32_t* abc, std::uint32_t* out, int n) {
  gpu::launch(packed_kernel, {.grid = 1, .block = 32, .name = "packed_bf16"}, x, abc, out, n);
}

void mma_bf16(const std::uint16_t* a, const std::uint16_t* bt, const float* c, float* d) {
  gpu::launch(mma_bf16_once, {.grid = 1, .block = 32, .name = "mma_bf16_once"}, a, bt, c, d);
}

void wide_copies(const float* x, float* y, int valid) {
  gpu::launch(copies_kernel,
              {.grid = 1, .block = 32, .smem_bytes = sizeof(CopySmem), .name = "wide_copies"},
              reinterpret_cast<const float4*>(x), reinterpret_cast<float4*>(y), valid);
}

}  // namespace glia::emu_test
