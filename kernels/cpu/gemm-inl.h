// Small matrix products with all results in registers. Included once an instruction set (Highway's
// foreach_target).
#if defined(GLIA_KERNELS_CPU_GEMM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLIA_KERNELS_CPU_GEMM_INL_H_
#undef GLIA_KERNELS_CPU_GEMM_INL_H_
#else
#define GLIA_KERNELS_CPU_GEMM_INL_H_
#endif

#include <algorithm>

#include "kernels/cpu/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

/// c[i][j] (+)= sum over d of a[i * a_row + d * a_depth] * b[d * b_depth + j], for i < rows and j <
/// columns. `columns` is a multiple of the vector's length; b and c are aligned to vectors.
struct Gemm {
  const float* a;
  std::int64_t a_row, a_depth;
  const float* b;
  std::int64_t b_depth;
  float* c;
  std::int64_t c_row;
  std::int64_t rows, columns, depth;
  bool accumulate;
};

template <int kRows, int kV>
HWY_INLINE void gemm_registers(const Gemm& g, std::int64_t row) {
  const Floats d;
  FloatVec acc[kRows][kV];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) acc[i][v] = hn::Zero(d);

  const float* HWY_RESTRICT a = g.a + row * g.a_row;
  const float* HWY_RESTRICT b = g.b;
  for (std::int64_t k = 0; k < g.depth; ++k) {
    FloatVec right[kV];
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) right[v] = hn::Load(d, b + v * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const FloatVec left = hn::Set(d, a[i * g.a_row]);
#pragma GCC unroll 8
      for (int v = 0; v < kV; ++v) acc[i][v] = hn::MulAdd(left, right[v], acc[i][v]);
    }
    a += g.a_depth;
    b += g.b_depth;
  }

#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    float* c = g.c + (row + i) * g.c_row;
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) {
      FloatVec sum = acc[i][v];
      if (g.accumulate) sum = hn::Add(sum, hn::Load(d, c + v * kLanes));
      hn::Store(sum, d, c + v * kLanes);
    }
  }
}

template <int kV>
HWY_NOINLINE void gemm_vectors(const Gemm& g) {
  std::int64_t row = 0;
  if constexpr (kVectors == 4 && kV <= 2)  // many registers hold 12 x 2 sums too
    for (; row + 12 <= g.rows; row += 12) gemm_registers<12, kV>(g, row);
  for (; row + 6 <= g.rows; row += 6) gemm_registers<6, kV>(g, row);
  switch (g.rows - row) {
    case 1: return gemm_registers<1, kV>(g, row);
    case 2: return gemm_registers<2, kV>(g, row);
    case 3: return gemm_registers<3, kV>(g, row);
    case 4: return gemm_registers<4, kV>(g, row);
    case 5: return gemm_registers<5, kV>(g, row);
    default: return;
  }
}

HWY_INLINE void gemm(Gemm g) {
  for (std::int64_t rest = g.columns; rest > 0; rest -= kBlock, g.b += kBlock, g.c += kBlock) {
    if (rest >= kBlock)
      gemm_vectors<kVectors>(g);
    else if (rest == kLanes)
      gemm_vectors<1>(g);
    else if (rest == 2 * kLanes)
      gemm_vectors<2>(g);
    else
      gemm_vectors<std::min(3, kVectors)>(g);
  }
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
