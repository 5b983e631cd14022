// Operands of gemm_tile.h that are matrices in memory. Each thread of a block copies a fixed part
// of every slice, kVec (4 or 1) floats at a time; what lies beyond the matrix becomes 0.
#pragma once

#include "kernels/cuda/conv/gemm_digits.h"
#include "kernels/cuda/conv/gemm_tile.h"

namespace glia::GLIA_GPU {

/// Which (row, depth) of a slice by row a thread copies: the depth is always the same.
template <int kTileRows, int kThreads, int kVec>
struct RowPart {
  static constexpr int kAcross = kGemmSlice / kVec;  // threads side by side on a row
  static constexpr int kPass = kThreads / kAcross;   // rows between two copies of a thread
  static constexpr int kCopies = kTileRows / kPass;
  static_assert(kPass * kAcross == kThreads && kPass * kCopies == kTileRows);

  GLIA_INLINE static int depth() { return threadIdx.x % kAcross * kVec; }
  GLIA_INLINE static int row(int copy) { return threadIdx.x / kAcross + copy * kPass; }
  template <int kPermute>
  GLIA_INLINE static int offset(int copy) {
    const int piece = depth() / 4 ^ turn_of<kPermute>(row(copy));
    return row(copy) * kGemmSlice + piece * 4 + depth() % 4;
  }
};

/// Which (depth, column) of a slice by depth a thread copies: kSpan columns, always the same.
template <int kTileColumns, int kThreads, int kVec>
struct DepthPart {
  static constexpr int kAcross = kTileColumns / kVec;
  static constexpr int kSpan = kAcross > kThreads ? kAcross / kThreads : 1;
  static constexpr int kPass = kThreads * kSpan / kAcross;  // depths between two copies
  static constexpr int kCopies = kGemmSlice / kPass;
  static_assert(kPass * kAcross == kThreads * kSpan && kPass * kCopies == kGemmSlice);

  GLIA_INLINE static int depth() { return threadIdx.x / kAcross; }  // of the first copy
  GLIA_INLINE static int column(int i) { return (threadIdx.x % kAcross + i * kThreads) * kVec; }
  GLIA_INLINE static int offset(int copy, int i) {
    return (depth() + copy * kPass) * kTileColumns + column(i);
  }
};

/// data[row * pitch + depth].
struct RowMatrix {
  const float* data;
  std::int64_t pitch;
  int rows, depth;
};

template <int kTileRows, int kThreads, int kVec, int kPermute>
class MatrixByRow {
 public:
  static constexpr bool kByRow = true;

  GLIA_INLINE MatrixByRow(const RowMatrix& matrix, int row, int depth)
      : matrix_(matrix),
        rows_left_(matrix.rows - row - Part::row(0)),
        depth_left_(matrix.depth - depth - Part::depth()),
        offset_((row + Part::row(0)) * matrix.pitch + depth + Part::depth()) {}

  /// Starts the copies of the next slice.
  GLIA_INLINE void copy_slice(float* slice) {
#pragma unroll
    for (int i = 0; i < Part::kCopies; ++i) {
      const bool inside = (depth_left_ > 0) & (rows_left_ > i * Part::kPass);
      const std::int64_t offset = offset_ + i * Part::kPass * matrix_.pitch;
      ptx::cp_async<4 * kVec>(slice + Part::template offset<kPermute>(i),
                              matrix_.data + (inside ? offset : 0), inside);
    }
    offset_ += kGemmSlice;
    depth_left_ -= kGemmSlice;
  }

 private:
  using Part = RowPart<kTileRows, kThreads, kVec>;
  RowMatrix matrix_;
  int rows_left_, depth_left_;
  std::int64_t offset_;  // of the first copy of the next slice
};

/// data[step_low * low + step_middle * middle + step_high * high + column], where the digits are
/// those of the depth. A plain matrix has depths of one digit.
struct ColumnMatrix {
  const float* data;
  Radix radix;
  int highs = 1;  // depths end where the highest digit reaches this
  std::int64_t step_low, step_middle = 0, step_high = 0;
  int columns;
};

template <int kTileColumns, int kThreads, int kVec>
class MatrixByDepth {
 public:
  static constexpr bool kByRow = false;

  GLIA_INLINE MatrixByDepth(const ColumnMatrix& matrix, int column, int depth)
      : matrix_(matrix),
        column_(column),
        at_(matrix.radix.digits(depth + Part::depth())),
        step_(matrix.radix.digits(Part::kPass)) {}

  GLIA_INLINE void copy_slice(float* slice) {
    const ColumnMatrix& m = matrix_;
#pragma unroll
    for (int i = 0; i < Part::kCopies; ++i) {
      const std::int64_t row =
          at_.low * m.step_low + at_.middle * m.step_middle + at_.high * m.step_high + column_;
#pragma unroll
      for (int j = 0; j < Part::kSpan; ++j) {
        const int column = Part::column(j);
        const bool inside = (at_.high < m.highs) & (column_ + column < m.columns);
        ptx::cp_async<4 * kVec>(slice + Part::offset(i, j), m.data + (inside ? row + column : 0),
                                inside);
      }
      m.radix.add(at_, step_);
    }
  }

 private:
  using Part = DepthPart<kTileColumns, kThreads, kVec>;
  ColumnMatrix matrix_;
  int column_;
  Digits at_, step_;
};

}  // namespace glia::GLIA_GPU
