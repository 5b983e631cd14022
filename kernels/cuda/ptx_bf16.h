// PTX's arithmetic on two bf16 values in one register (sm_80), as ptx.h has the rest: inline
// assembly under nvcc, the emulator's equivalent otherwise.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define GLIA_PTX __device__ __forceinline__
#else
#include "kernels/emu/packed_bf16.h"
#define GLIA_PTX inline
#endif

namespace glia::ptx {

/// `low` and `high` rounded to the nearest bf16 (ties to even), `low` in the lower half.
GLIA_PTX std::uint32_t pack_bf16(float low, float high) {
#if defined(__CUDACC__)
  std::uint32_t pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
#else
  return emu::pack_bf16(low, high, false);
#endif
}

/// The same of max(low, 0) and max(high, 0); NaN stays NaN.
GLIA_PTX std::uint32_t pack_bf16_relu(float low, float high) {
#if defined(__CUDACC__)
  std::uint32_t pair;
  asm("cvt.rn.relu.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
#else
  return emu::pack_bf16(low, high, true);
#endif
}

/// max(a * b + c, 0) in both halves, rounded once to bf16; NaN stays NaN.
GLIA_PTX std::uint32_t fma_relu_bf16x2(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
#if defined(__CUDACC__)
  std::uint32_t pair;
  asm("fma.rn.relu.bf16x2 %0, %1, %2, %3;" : "=r"(pair) : "r"(a), "r"(b), "r"(c));
  return pair;
#else
  return emu::fma_relu_bf16x2(a, b, c);
#endif
}

/// The larger of a and b in both halves; where one of them is NaN, the other.
GLIA_PTX std::uint32_t max_bf16x2(std::uint32_t a, std::uint32_t b) {
#if defined(__CUDACC__)
  std::uint32_t pair;
  asm("max.bf16x2 %0, %1, %2;" : "=r"(pair) : "r"(a), "r"(b));
  return pair;
#else
  return emu::max_bf16x2(a, b);
#endif
}

}  // namespace glia::ptx

#undef GLIA_PTX
