// Operands of products that are matrices in memory. Each thread of a block copies a fixed part of
// every slice, kVec (4 or 1) floats at a time; what lies beyond the matrix becomes 0.
#pragma once

#include "kernels/cuda/conv/gemm_slices.h"
#include "kernels/cuda/ptx.h"

namespace glia::GLIA_GPU {

/// Which (row, depth) of a slice by row a thread copies: the depth is always the same.
template <class Slices, int kTileRows, int kThreads, int kVec>
struct RowPart {
  static constexpr int kAcross = Slices::kDepth / kVec;  // threads side by side on a row
  static constexpr int kPass = kThreads / kAcross;       // rows between two copies of a thread
  static constexpr int kCopies = kTileRows / kPass;
  static_assert(kPass * kAcross == kThreads && kPass * kCopies == kTileRows);

  GLIA_INLINE static int depth() { return threadIdx.x % kAcross * kVec; }
  GLIA_INLINE static int row(int copy) { return threadIdx.x / kAcross + copy * kPass; }
  GLIA_INLINE static int offset(int copy) {
    // Rows a period apart differ by a constant, so that their addresses take no instructions.
    const int apart = copy * kPass / Slices::kPeriod * Slices::kPeriod;
    const int near = row(copy) - apart;
    return near * Slices::kDepth + Slices::piece(near, depth() / 4) * 4 + depth() % 4 +
           apart * Slices::kDepth;
  }
};

/// Which (depth, column) of a slice by depth a thread copies: kSpan columns, always the same.
template <class Slices, int kTileColumns, int kThreads, int kVec>
struct DepthPart {
  static constexpr int kAcross = kTileColumns / kVec;
  static constexpr int kSpan = kAcross > kThreads ? kAcross / kThreads : 1;
  static constexpr int kPass = kThreads * kSpan / kAcross;  // depths between two copies
  static constexpr int kCopies = Slices::kDepth / kPass;
  static_assert(kPass * kAcross == kThreads * kSpan && kPass * kCopies == Slices::kDepth);

  GLIA_INLINE static int depth() { return threadIdx.x / kAcross; }  // of the first copy
  GLIA_INLINE static int column(int i) { return (threadIdx.x % kAcross + i * kThreads) * kVec; }
  GLIA_INLINE static int offset(int copy, int i) {
    const int apart = copy * kPass / Slices::kPeriod * Slices::kPeriod;
    const int near = depth() + copy * kPass - apart;
    return near * kTileColumns + Slices::piece(near, column(i) / 4) * 4 + column(i) % 4 +
           apart * kTileColumns;
  }
};

/// data[row * pitch + depth].
struct RowMatrix {
  const float* data;
  std::int64_t pitch;
  int rows, depth;
};

template <class Slices, int kTileRows, int kThreads, int kVec>
class MatrixByRow {
 public:
  static constexpr bool kByRow = true;

  GLIA_INLINE MatrixByRow(const RowMatrix& matrix, int row, int depth)
      : pitch_(static_cast<int>(matrix.pitch * 4)),
        rows_left_(matrix.rows - row - Part::row(0)),
        depth_left_(matrix.depth - depth - Part::depth()),
        from_(matrix.data + (row + Part::row(0)) * matrix.pitch + depth + Part::depth()) {}

  /// Starts the copies of the next slice.
  GLIA_INLINE void copy_slice(float* slice) {
#pragma unroll
    for (int i = 0; i < Part::kCopies; ++i) {
      const bool inside = (depth_left_ > 0) & (rows_left_ > i * Part::kPass);
      ptx::cp_async<4 * kVec>(slice + Part::offset(i),
                              ptx::advanced(from_, i * Part::kPass, pitch_), inside);
    }
    from_ += Slices::kDepth;
    depth_left_ -= Slices::kDepth;
  }

 private:
  using Part = RowPart<Slices, kTileRows, kThreads, kVec>;
  int pitch_, rows_left_, depth_left_;
  const float* from_;  // of the first copy of the next slice
};

/// data[strides.low * low + strides.middle * middle + strides.high * high + column], where the
/// digits are those of the depth. A plain matrix has depths of one digit.
struct ColumnMatrix {
  const float* data;
  Radix radix;
  int depth;
  Strides strides;
  int columns;
};

template <class Slices, int kTileColumns, int kThreads, int kVec>
class MatrixByDepth {
 public:
  static constexpr bool kByRow = false;

  GLIA_INLINE MatrixByDepth(const ColumnMatrix& matrix, int column, int depth)
      : matrix_(matrix),
        data_(matrix.data + column + Part::column(0)),
        columns_left_(matrix.columns - column),
        depth_(depth + Part::depth()),
        at_(matrix.radix.digits(depth_)),
        step_(matrix.radix.digits(Slices::kDepth)),
        together_(matrix.radix.low % Slices::kDepth == 0 || matrix.radix.low >= matrix.depth) {}

  GLIA_INLINE void copy_slice(float* slice) {
    if (together_) {
      // The higher digits are those of all depths of the slice.
      const float* from = data_ + matrix_.strides.place(at_);
      const int stride = static_cast<int>(matrix_.strides.low) * 4;
#pragma unroll
      for (int i = 0; i < Part::kCopies; ++i)
        copy_depth(slice, i, ptx::advanced(from, i * Part::kPass, stride));
      matrix_.radix.add(at_, step_);
    } else {
#pragma unroll 1
      for (int i = 0; i < Part::kCopies; ++i) {
        const Digits at = matrix_.radix.digits(depth_ + i * Part::kPass);
        copy_depth(slice, i, data_ + matrix_.strides.place(at));
      }
    }
    depth_ += Slices::kDepth;
  }

 private:
  using Part = DepthPart<Slices, kTileColumns, kThreads, kVec>;

  GLIA_INLINE void copy_depth(float* slice, int copy, const float* from) {
    const bool inside = depth_ + copy * Part::kPass < matrix_.depth;
#pragma unroll
    for (int j = 0; j < Part::kSpan; ++j)
      ptx::cp_async<4 * kVec>(slice + Part::offset(copy, j),
                              from + Part::column(j) - Part::column(0),
                              inside & (columns_left_ > Part::column(j)));
  }

  ColumnMatrix matrix_;
  const float* data_;
  int columns_left_, depth_;
  Digits at_, step_;
  bool together_;  // slices do not cross from one middle digit to the next
};

}  // namespace glia::GLIA_GPU
