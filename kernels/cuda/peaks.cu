// Multiply-adds in registers and nothing else: what the arithmetic of a GPU does at best.
//
// Work: a block of 16 warps a multiprocessor, four a scheduler. A thread (fp32) or a warp (mma)
// keeps independent sums, more than are in flight: four warps times 16 chains of FFMA, which takes
// 4 cycles, times 8 of mma, which takes 33 on a Hopper GPU. Each step of the loop is unrolled, so
// that counting is one instruction in a hundred. Registers only, one store a thread, no barrier.
//
// Operands of mma have random mantissas, since products of zeros or ones take less power and may
// run at a higher clock.
#include "kernels/cuda/peaks.h"

#include <cmath>

#include "engine/base/rng.h"
#include "kernels/api/context.h"
#include "kernels/cuda/ptx.h"

namespace glia::GLIA_GPU {
namespace {

constexpr int kWarpLanes = 32, kThreads = 512;

// ---- fp32: v becomes v^2 + c, which neither grows nor comes to rest for c between -2 and -1.5. So
// every bit of the result depends on every step, and a host that rounds as the standard wants finds
// the same bits.

constexpr int kChains = 16, kSteps = 16;
constexpr float kShift = -1.9f;

/// Exact in fp32 whatever a compiler makes of it.
constexpr float first_value(int lane, int chain) {
  return static_cast<float>(lane * 32 + chain) / 2048;
}

__global__ void __launch_bounds__(kThreads)
    multiply_add_chains(int rounds, float shift, float* results) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpLanes;
  float value[kChains];
#pragma unroll
  for (int chain = 0; chain < kChains; ++chain) value[chain] = first_value(lane, chain);
#pragma unroll 1
  for (int round = 0; round < rounds; ++round) {
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
#pragma unroll
      for (int chain = 0; chain < kChains; ++chain)
        value[chain] = __fmaf_rn(value[chain], value[chain], shift);
    }
  }
  float sum = 0;
#pragma unroll
  for (int chain = 0; chain < kChains; ++chain) sum += value[chain];
  results[blockIdx.x * kThreads + threadIdx.x] = sum;
}

ExpectedResult expected_chains(int rounds, int lane) {
  float sum = 0;
  for (int chain = 0; chain < kChains; ++chain) {
    float value = first_value(lane, chain);
    for (int round = 0; round < rounds; ++round)
      for (int step = 0; step < kSteps; ++step) value = std::fma(value, value, kShift);
    sum += value;
  }
  return {sum, 0};
}

// ---- tf32 and bf16: sums of 16 x 8, each of one of two A and one of four B, the same ones in
// every step and warp.

constexpr int kRows = 16, kColumns = 8, kTall = 2, kWide = 4, kMmaSteps = 4;

constexpr int depth_of(Arithmetic kind) {
  return kind == Arithmetic::bf16 ? 16 : 8;
}

/// Between 1 and 2 or between -2 and -1; as many random bits as the operands' format has. `matrix`
/// counts the A and then the B; `line` is a row of A or a column of B.
constexpr std::uint32_t element_bits(Arithmetic kind, int matrix, int line, int k) {
  const std::uint32_t mantissa = kind == Arithmetic::bf16 ? 0x007F0000u : 0x007FE000u;
  const auto place = static_cast<std::uint64_t>(line * kRows + k);
  const std::uint32_t word = philox(1, static_cast<std::uint64_t>(matrix), place)[0];
  return (word & 0x80000000u) | 0x3F800000u | (word & mantissa);
}

/// Register `half` of a lane's fragment of one line: depths t and t + 4, or 2t, 2t + 1 and 2t + 8,
/// 2t + 9 with the first in the low half (ptx.h).
template <Arithmetic kKind>
__device__ std::uint32_t fragment(int matrix, int line, int t, int half) {
  if constexpr (kKind == Arithmetic::tf32) {
    return element_bits(kKind, matrix, line, t + 4 * half);
  } else {
    const int k = 2 * t + 8 * half;
    return element_bits(kKind, matrix, line, k) >> 16 | element_bits(kKind, matrix, line, k + 1);
  }
}

template <Arithmetic kKind>
__global__ void __launch_bounds__(kThreads) matrix_chains(int rounds, float* results) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpLanes, g = lane / 4, t = lane % 4;
  std::uint32_t a[kTall][4], b[kWide][2];
#pragma unroll
  for (int i = 0; i < kTall; ++i)
#pragma unroll
    for (int r = 0; r < 4; ++r) a[i][r] = fragment<kKind>(i, g + 8 * (r % 2), t, r / 2);
#pragma unroll
  for (int j = 0; j < kWide; ++j)
#pragma unroll
    for (int r = 0; r < 2; ++r) b[j][r] = fragment<kKind>(kTall + j, g, t, r);
  float d[kTall][kWide][4] = {};
#pragma unroll 1
  for (int round = 0; round < rounds; ++round) {
#pragma unroll
    for (int step = 0; step < kMmaSteps; ++step) {
#pragma unroll
      for (int i = 0; i < kTall; ++i)
#pragma unroll
        for (int j = 0; j < kWide; ++j) {
          if constexpr (kKind == Arithmetic::tf32)
            ptx::mma_tf32_m16n8k8(d[i][j], a[i], b[j]);
          else
            ptx::mma_bf16_m16n8k16(d[i][j], a[i], b[j]);
        }
    }
  }
  float sum = 0;
#pragma unroll
  for (int i = 0; i < kTall; ++i)
#pragma unroll
    for (int j = 0; j < kWide; ++j)
#pragma unroll
      for (int r = 0; r < 4; ++r) sum += d[i][j][r];
  results[blockIdx.x * kThreads + threadIdx.x] = sum;
}

double element_value(Arithmetic kind, int matrix, int line, int k) {
  const std::uint32_t bits = element_bits(kind, matrix, line, k);
  const double magnitude = 1 + static_cast<double>(bits & 0x007FFFFFu) * 0x1p-23;
  return (bits >> 31) != 0 ? -magnitude : magnitude;
}

/// A sum of n products of magnitude m grows by each; hardware may cut a last bit of it each time,
/// so the error is at most about n^2 m 2^-23, and that of the last additions is beside it.
ExpectedResult expected_matrices(Arithmetic kind, int rounds, int lane) {
  const int g = lane / 4, t = lane % 4;
  double sum = 0, magnitudes = 0;
  for (int i = 0; i < kTall; ++i)
    for (int j = 0; j < kWide; ++j)
      for (const int row : {g, g + 8})
        for (const int column : {2 * t, 2 * t + 1})
          for (int k = 0; k < depth_of(kind); ++k) {
            const double product =
                element_value(kind, i, row, k) * element_value(kind, kTall + j, column, k);
            sum += product;
            magnitudes += std::abs(product);
          }
  const double steps = static_cast<double>(rounds) * kMmaSteps;
  return {steps * sum, steps * magnitudes * (steps * 0x1p-23 + 0x1p-18)};
}

const char* instruction(Arithmetic kind) {
  switch (kind) {
    case Arithmetic::fp32: return "FFMA in registers";
    case Arithmetic::tf32: return "mma.sync m16n8k8 in registers";
    case Arithmetic::bf16: return "mma.sync m16n8k16 in registers";
  }
  return "";
}

double multiply_adds(const KernelContext& context, Arithmetic kind, int rounds, float* results) {
  const LaunchConfig config{
      .grid = dim3(static_cast<unsigned>(context.multiprocessors)),
      .block = dim3(kThreads),
      .stream = static_cast<cudaStream_t>(context.stream),
      .name = kind == Arithmetic::fp32 ? "multiply_add_chains" : "matrix_chains"};
  const double threads = static_cast<double>(context.multiprocessors) * kThreads;
  const double count = rounds;
  if (kind == Arithmetic::fp32) {
    gpu::launch(multiply_add_chains, config, rounds, kShift, results);
    return 2 * threads * count * kChains * kSteps;
  }
  gpu::launch(
      kind == Arithmetic::tf32 ? matrix_chains<Arithmetic::tf32> : matrix_chains<Arithmetic::bf16>,
      config, rounds, results);
  return 2 * threads / kWarpLanes * count * kMmaSteps * kTall * kWide * kRows * kColumns *
         depth_of(kind);
}

ExpectedResult expected(Arithmetic kind, int rounds, std::int64_t index) {
  const int lane = static_cast<int>(index % kWarpLanes);
  return kind == Arithmetic::fp32 ? expected_chains(rounds, lane)
                                  : expected_matrices(kind, rounds, lane);
}

void copy(const KernelContext& context, void* to, const void* from, std::size_t bytes) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice,
                        static_cast<cudaStream_t>(context.stream)),
        "copying within the GPU's memory");
}

}  // namespace

const PeakWork& peak_work() {
  static const PeakWork kWork = {.results = kThreads,
                                 .instruction = instruction,
                                 .multiply_adds = multiply_adds,
                                 .expected = expected,
                                 .copy = copy};
  return kWork;
}

}  // namespace glia::GLIA_GPU
