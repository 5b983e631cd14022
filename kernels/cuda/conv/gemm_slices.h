// How the slices of an operand lie in shared memory. They are copied 16 bytes at a time, as they
// lie in device memory: by row, [row][depth], or by depth, [depth][row]. `piece(run, i)` is where
// the i-th 16-byte piece of a row (or, by depth, of a depth) goes within it: permuted, so that the
// lanes that read at a time find different groups of banks, and so do those that copy.
#pragma once

#include "kernels/cuda/conv/conv_choice.h"
#include "kernels/cuda/conv/gemm_digits.h"

namespace glia::GLIA_GPU {

/// By row for gemm_tile.h, where rows that are read together differ in bits kBit and kBit + 1.
template <int kBit>
struct ScalarRows {
  static constexpr int kDepth = kGemmSlice, kPeriod = 4 << kBit;
  /// By how much the pieces of a row are permuted.
  GLIA_INLINE static int turn(int row) { return row >> kBit & 3; }
  GLIA_INLINE static int piece(int row, int i) { return i ^ turn(row); }
};
using ScalarRowsA = ScalarRows<1>;
using ScalarRowsB = ScalarRows<2>;

/// By depth for gemm_tile.h: a thread reads runs of four neighbours, eight threads one line.
struct ScalarDepths {
  static constexpr int kDepth = kGemmSlice, kPeriod = 1;
  GLIA_INLINE static int piece(int, int i) { return i; }
};

/// By row for mma_tile.h's a: ldmatrix reads eight rows in a row.
struct MmaRowsA {
  static constexpr int kDepth = kMmaSlice, kPeriod = 8;
  GLIA_INLINE static int piece(int row, int i) { return i ^ (row & 7); }
};

/// By row for its b: ldmatrix reads rows {0, 1, 8, 9, 16, 17, 24, 25} + 2j.
struct MmaRowsB {
  static constexpr int kDepth = kMmaSlice, kPeriod = 32;
  GLIA_INLINE static int piece(int row, int i) { return i ^ ((row & 1) | (row >> 3 & 3) << 1); }
};

/// By depth for either: lane 4g + t reads piece g of depth t.
struct MmaDepths {
  static constexpr int kDepth = kMmaSlice, kPeriod = 4;
  GLIA_INLINE static int piece(int depth, int i) { return i ^ 2 * (depth & 3); }
};

}  // namespace glia::GLIA_GPU
