// Small matrix products with all results in registers. Included once an instruction set (Highway's
// foreach_target).
#if defined(GLIA_KERNELS_CPU_CONV_GEMM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLIA_KERNELS_CPU_CONV_GEMM_INL_H_
#undef GLIA_KERNELS_CPU_CONV_GEMM_INL_H_
#else
#define GLIA_KERNELS_CPU_CONV_GEMM_INL_H_
#endif

#include <algorithm>

#include "kernels/cpu/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

constexpr int kRowGroup = 6;  // rows

/// Floats that come to the L2 cache while a product is computed: `step` of them with each step of
/// the depth of each group of rows.
struct Ahead {
  const float* data = nullptr;
  std::int64_t step = 0;

  Ahead() = default;
  /// `size` floats at `data_` during a product of these rows and this depth.
  Ahead(const float* data_, std::int64_t size, std::int64_t rows, std::int64_t depth)
      : data(data_), step(size == 0 ? 0 : ceil_div(size, ceil_div(rows, kRowGroup) * depth)) {}
};

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
  // What the next product reads comes to the L2 cache meanwhile.
  Ahead ahead_a = {}, ahead_b = {};
};

template <int kRows, int kV>
HWY_INLINE void gemm_registers(const Gemm& g, std::int64_t row) {
  const Floats d;
  FloatVec acc[kRows][kV];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) {
      acc[i][v] = hn::Zero(d);
      // What the sums are added to comes meanwhile.
      if (g.accumulate) __builtin_prefetch(g.c + (row + i) * g.c_row + v * kLanes, 1);
    }

  const float* ahead[] = {g.ahead_a.data + row / kRowGroup * g.depth * g.ahead_a.step,
                          g.ahead_b.data + row / kRowGroup * g.depth * g.ahead_b.step};
  constexpr int kRowGroups = std::max(kRows / kRowGroup, 1);
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
    prefetch_to_l2(ahead[0]);
    prefetch_to_l2(ahead[1]);
    ahead[0] += kRowGroups * g.ahead_a.step;
    ahead[1] += kRowGroups * g.ahead_b.step;
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
    for (; row + 2 * kRowGroup <= g.rows; row += 2 * kRowGroup)
      gemm_registers<2 * kRowGroup, kV>(g, row);
  for (; row + kRowGroup <= g.rows; row += kRowGroup) gemm_registers<kRowGroup, kV>(g, row);
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
  // Addresses that are not mapped would be looked up each time.
  for (Ahead* ahead : {&g.ahead_a, &g.ahead_b})
    if (ahead->step == 0) ahead->data = g.b;
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
