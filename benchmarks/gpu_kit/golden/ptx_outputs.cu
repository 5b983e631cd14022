// A kernel a function of ptx.h. Operands are drawn from the lane and a counter, so that GPUs and
// the emulator see the same bits.
#include "benchmarks/gpu_kit/golden/ptx_outputs_of.h"

#include "kernels/cuda/gpu.h"
#include "kernels/cuda/ptx.h"
#include "kernels/cuda/ptx_bf16.h"

namespace glia::GLIA_GPU {

std::span<const kit::PtxOutput> ptx_outputs();

namespace {

using kit::kGoldenWords;

/// Thirty-two bits from two numbers (the finaliser of MurmurHash3, Appleby 2011).
__device__ std::uint32_t mixed(std::uint32_t lane, std::uint32_t i) {
  std::uint32_t h = lane * 0x9E3779B9u + i * 0x85EBCA6Bu + 1u;
  h = (h ^ (h >> 16)) * 0x85EBCA6Bu;
  h = (h ^ (h >> 13)) * 0xC2B2AE35u;
  return h ^ (h >> 16);
}

/// A float of either sign with a magnitude from 2^-8 to 2^8: sums of such products round.
__device__ float number(std::uint32_t lane, std::uint32_t i) {
  const std::uint32_t h = mixed(lane, i);
  return __uint_as_float((h & 0x807FFFFFu) | ((119u + ((h >> 23) & 15u)) << 23));
}

/// Two such as bf16, cut off and not rounded.
__device__ std::uint32_t bf16_pair(std::uint32_t lane, std::uint32_t i) {
  return (__float_as_uint(number(lane, 2 * i)) >> 16) |
         (__float_as_uint(number(lane, 2 * i + 1)) & 0xFFFF0000u);
}

struct Tile {
  alignas(128) std::uint32_t words[32][4];
  alignas(8) ptx::Mbarrier barrier;
};

__device__ Tile& filled_tile() {
  Tile& tile = shared<Tile>();
  for (int i = 0; i < 4; ++i) tile.words[threadIdx.x][i] = mixed(threadIdx.x, i);
  // The tile is complete.
  __syncthreads();
  return tile;
}

template <int kMatrices, bool kTransposed>
__global__ void ldmatrix_kernel(std::uint32_t* out) {
  Tile& tile = filled_tile();
  std::uint32_t registers[kMatrices];
  ptx::ldmatrix<kMatrices, kTransposed>(registers, tile.words[threadIdx.x]);
  for (int i = 0; i < kMatrices; ++i) out[threadIdx.x * kGoldenWords + i] = registers[i];
}

__global__ void mma_bf16_kernel(std::uint32_t* out) {
  const std::uint32_t lane = threadIdx.x;
  float d[4];
  std::uint32_t a[4], b[2];
  for (int i = 0; i < 4; ++i) d[i] = number(lane, i);
  for (int i = 0; i < 4; ++i) a[i] = bf16_pair(lane, 10 + i);
  for (int i = 0; i < 2; ++i) b[i] = bf16_pair(lane, 20 + i);
  ptx::mma_bf16_m16n8k16(d, a, b);
  for (int i = 0; i < 4; ++i) out[lane * kGoldenWords + i] = __float_as_uint(d[i]);
}

__global__ void mma_tf32_kernel(std::uint32_t* out) {
  const std::uint32_t lane = threadIdx.x;
  float d[4];
  std::uint32_t a[4], b[2];
  for (int i = 0; i < 4; ++i) d[i] = number(lane, i);
  for (int i = 0; i < 4; ++i) a[i] = ptx::to_tf32(number(lane, 10 + i));
  for (int i = 0; i < 2; ++i) b[i] = ptx::to_tf32(number(lane, 20 + i));
  ptx::mma_tf32_m16n8k8(d, a, b);
  for (int i = 0; i < 4; ++i) out[lane * kGoldenWords + i] = __float_as_uint(d[i]);
}

__global__ void to_tf32_kernel(std::uint32_t* out) {
  for (int i = 0; i < kGoldenWords; ++i)
    out[threadIdx.x * kGoldenWords + i] = ptx::to_tf32(number(threadIdx.x, i));
}

__global__ void nearest_tf32_kernel(std::uint32_t* out) {
  // A tie to either side, what rounds to infinity, infinity, and NaN of all bits and of the lowest.
  constexpr std::uint32_t kSpecial[] = {0x3F801000u, 0x3F803000u, 0x7F7FFFFFu, 0x7F800000u,
                                        0x7FFFFFFFu, 0xFFFFFFFFu, 0x7F800001u, 0x00001000u};
  for (int i = 0; i < kGoldenWords; ++i) {
    const float x = threadIdx.x == 0 ? __uint_as_float(kSpecial[i]) : number(threadIdx.x, i);
    out[threadIdx.x * kGoldenWords + i] = ptx::nearest_tf32(x);
  }
}

template <int kMatrices, bool kTransposed>
__global__ void stmatrix_kernel([[maybe_unused]] std::uint32_t* out) {
#if !defined(__CUDACC__) || !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
  Tile& tile = filled_tile();
  std::uint32_t registers[kMatrices];
  for (int i = 0; i < kMatrices; ++i) registers[i] = mixed(threadIdx.x, 60 + i);
  ptx::stmatrix<kMatrices, kTransposed>(tile.words[threadIdx.x], registers);
  // All rows are stored.
  __syncthreads();
  for (int i = 0; i < 4; ++i) out[threadIdx.x * kGoldenWords + i] = tile.words[threadIdx.x][i];
#endif
}

/// Pairs of bf16: drawn, and those that are seldom drawn in lane 0.
__device__ std::uint32_t pair_or_special(std::uint32_t lane, std::uint32_t i) {
  constexpr std::uint32_t kSpecial[] = {0x80007FC0u, 0x7F80FF80u, 0x00000001u, 0x7F7FFF7Fu};
  return lane == 0 ? kSpecial[i % 4] : bf16_pair(lane, i);
}

__global__ void packed_bf16_kernel(std::uint32_t* out) {
  const std::uint32_t lane = threadIdx.x;
  std::uint32_t* mine = out + lane * kGoldenWords;
  for (std::uint32_t i = 0; i < 2; ++i) {
    mine[i] = ptx::pack_bf16(number(lane, 2 * i), number(lane, 2 * i + 1));
    mine[2 + i] = ptx::pack_bf16_relu(number(lane, 4 + 2 * i), number(lane, 5 + 2 * i));
    const std::uint32_t a = pair_or_special(lane, 3 * i), b = pair_or_special(lane, 3 * i + 1);
    mine[4 + i] = ptx::fma_relu_bf16x2(a, b, pair_or_special(lane, 3 * i + 2));
    mine[6 + i] = ptx::max_bf16x2(a, b);
  }
}

/// Copies 16 bytes a lane in pieces of kBytes, every third piece not valid.
template <int kBytes>
__global__ void cp_async_kernel(std::uint32_t* out, const std::uint32_t* from) {
  Tile& tile = filled_tile();
  constexpr int kPieces = 16 / kBytes, kWords = kBytes / 4;
  for (int i = 0; i < kPieces; ++i)
    ptx::cp_async<kBytes>(&tile.words[threadIdx.x][i * kWords],
                          from + threadIdx.x * kGoldenWords + i * kWords,
                          (threadIdx.x + i) % 3 != 0);
  ptx::cp_async_commit();
  ptx::cp_async_wait<0>();
  for (int i = 0; i < 4; ++i) out[threadIdx.x * kGoldenWords + 4 + i] = tile.words[threadIdx.x][i];
}

__global__ void bulk_copy_kernel([[maybe_unused]] std::uint32_t* out) {
#if !defined(__CUDACC__) || !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
  Tile& tile = filled_tile();
  if (threadIdx.x == 0) {
    ptx::mbarrier_init(&tile.barrier, 1);
    ptx::fence_mbarrier_init();
  }
  // The barrier exists.
  __syncthreads();
  if (threadIdx.x == 0) {
    ptx::fence_proxy_async();
    ptx::mbarrier_arrive_expect_bytes(&tile.barrier, 256);
    ptx::bulk_copy(tile.words[0], out, 256, &tile.barrier);
  }
  ptx::mbarrier_wait(&tile.barrier, 0);
  for (int i = 0; i < 4; ++i) out[threadIdx.x * kGoldenWords + 4 + i] = tile.words[threadIdx.x][i];
#endif
}

/// What the copies read: the first four words of each lane.
__global__ void prepare_kernel(std::uint32_t* out) {
  for (int i = 0; i < 4; ++i) out[threadIdx.x * kGoldenWords + i] = mixed(threadIdx.x, 40 + i);
}

LaunchConfig one_warp(void* stream, const char* name) {
  return {.grid = 1,
          .block = 32,
          .smem_bytes = sizeof(Tile),
          .stream = static_cast<cudaStream_t>(stream),
          .name = name};
}

std::uint32_t* words(void* out) {
  return static_cast<std::uint32_t*>(out);
}

template <auto kernel>
void alone(void* stream, void* out) {
  launch(kernel, one_warp(stream, "golden"), words(out));
}

/// After what the copies read has been written.
template <auto kernel, class... Arguments>
void after_preparing(void* stream, void* out, const Arguments&... arguments) {
  launch(prepare_kernel, one_warp(stream, "prepare"), words(out));
  launch(kernel, one_warp(stream, "golden"), words(out), arguments...);
}

template <int kBytes>
void cp_async(void* stream, void* out) {
  after_preparing<cp_async_kernel<kBytes>>(stream, out, words(out));
}

void bulk_copy(void* stream, void* out) {
  after_preparing<bulk_copy_kernel>(stream, out);
}

constexpr kit::PtxOutput kOutputs[] = {
    {"cp_async<4>", 8, cp_async<4>},
    {"cp_async<8>", 8, cp_async<8>},
    {"cp_async<16>", 8, cp_async<16>},
    {"ldmatrix<1>", 8, alone<ldmatrix_kernel<1, false>>},
    {"ldmatrix<2>", 8, alone<ldmatrix_kernel<2, false>>},
    {"ldmatrix<4>", 8, alone<ldmatrix_kernel<4, false>>},
    {"ldmatrix<1, transposed>", 8, alone<ldmatrix_kernel<1, true>>},
    {"ldmatrix<2, transposed>", 8, alone<ldmatrix_kernel<2, true>>},
    {"ldmatrix<4, transposed>", 8, alone<ldmatrix_kernel<4, true>>},
    {"mma_bf16_m16n8k16", 8, alone<mma_bf16_kernel>},
    {"mma_tf32_m16n8k8", 8, alone<mma_tf32_kernel>},
    {"to_tf32", 8, alone<to_tf32_kernel>},
    {"nearest_tf32", 9, alone<nearest_tf32_kernel>},
    {"packed bf16: pack, pack + relu, fma + relu, max", 8, alone<packed_bf16_kernel>},
    {"stmatrix<1>", 9, alone<stmatrix_kernel<1, false>>},
    {"stmatrix<2>", 9, alone<stmatrix_kernel<2, false>>},
    {"stmatrix<4>", 9, alone<stmatrix_kernel<4, false>>},
    {"stmatrix<1, transposed>", 9, alone<stmatrix_kernel<1, true>>},
    {"stmatrix<2, transposed>", 9, alone<stmatrix_kernel<2, true>>},
    {"stmatrix<4, transposed>", 9, alone<stmatrix_kernel<4, true>>},
    {"bulk_copy", 9, bulk_copy},
};

}  // namespace

std::span<const kit::PtxOutput> ptx_outputs() {
  return kOutputs;
}

}  // namespace glia::GLIA_GPU
