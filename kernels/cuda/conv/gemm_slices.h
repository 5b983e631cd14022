// How the slices of an operand lie in shared memory. They are copied 16 bytes at a time, as they
// lie in device memory: by row, [row][depth], or by depth, [depth][row]. `piece(row, i)` is where
// the i-th 16-byte piece of a row goes within it, and `piece(depth, i, pieces)` that of a depth of
// so many: permuted, so that the lanes that read at a time find different groups of banks, and so
// do those that copy.
#pragma once

#include "engine/base/bf16.h"
#include "kernels/cuda/conv/conv_choice.h"
#include "kernels/cuda/conv/gemm_digits.h"

namespace glia::GLIA_GPU {

/// Elements of 16 bytes.
template <class T>
inline constexpr int kPieceOf = 16 / static_cast<int>(sizeof(T));

/// Depth of the slices of mma_tile.h's operands.
template <class T>
inline constexpr int kMmaSlice = kMmaSliceBytes / static_cast<int>(sizeof(T));

/// By row for gemm_tile.h, where rows that are read together differ in bits kBit and kBit + 1.
template <int kBit>
struct ScalarRows {
  using Element = float;
  static constexpr int kDepth = kGemmSlice, kPeriod = 4 << kBit;
  /// By how much the pieces of a row are permuted.
  GLIA_INLINE static int turn(int row) { return row >> kBit & 3; }
  GLIA_INLINE static int piece(int row, int i) { return i ^ turn(row); }
};
using ScalarRowsA = ScalarRows<1>;
using ScalarRowsB = ScalarRows<2>;

/// By depth for gemm_tile.h: a thread reads runs of four neighbours, eight threads one line.
struct ScalarDepths {
  using Element = float;
  static constexpr int kDepth = kGemmSlice, kPeriod = 1;
  GLIA_INLINE static int piece(int, int i, int) { return i; }
};

/// By row for mma_tile.h's a: ldmatrix reads eight rows in a row.
template <class T>
struct MmaRowsA {
  using Element = T;
  static constexpr int kDepth = kMmaSlice<T>, kPeriod = 8;
  GLIA_INLINE static int piece(int row, int i) { return i ^ (row & 7); }
};

/// By row for its b: ldmatrix reads rows {0, 1, 8, 9, 16, 17, 24, 25} + 2j.
template <class T>
struct MmaRowsB {
  using Element = T;
  static constexpr int kDepth = kMmaSlice<T>, kPeriod = 32;
  GLIA_INLINE static int piece(int row, int i) { return i ^ ((row & 1) | (row >> 3 & 3) << 1); }
};

/// By depth for either.
template <class T>
struct MmaDepths;

/// Lane 4g + t reads piece g of depth t.
template <>
struct MmaDepths<float> {
  using Element = float;
  static constexpr int kDepth = kMmaSlice<float>, kPeriod = 4;
  GLIA_INLINE static int piece(int depth, int i, int) { return i ^ 2 * (depth & 3); }
};

/// ldmatrix reads the same piece of eight depths in a row; of those of 64 bytes two share a line.
template <>
struct MmaDepths<Bf16> {
  using Element = Bf16;
  static constexpr int kDepth = kMmaSlice<Bf16>, kPeriod = 8;
  GLIA_INLINE static int piece(int depth, int i, int pieces) {
    return i ^ (pieces == 4 ? depth >> 1 & 3 : depth & 7);
  }
};

}  // namespace glia::GLIA_GPU
