// Operands of products that are matrices in memory. Each thread of a block copies a fixed part of
// every slice, kVec elements at a time: 16 bytes or one; what lies beyond the matrix becomes 0.
#pragma once

#include <type_traits>

#include "kernels/cuda/conv/gemm_slices.h"
#include "kernels/cuda/ptx.h"

namespace glia::GLIA_GPU {

/// Of so many elements: as 32 bits, which ptx::advanced multiplies in one instruction.
template <class T>
GLIA_INLINE int bytes_of(int elements) {
  return elements * static_cast<int>(sizeof(T));
}

/// Starts the copy of kVec neighbours to a slice; zeros where not `inside`. What cp.async cannot
/// do, two bytes and numbers of another type, goes through a register; `to` must be free already.
template <int kVec, class T, class From>
GLIA_INLINE void copy(T* to, const From* from, bool inside) {
  constexpr int kBytes = kVec * static_cast<int>(sizeof(T));
  if constexpr (std::is_same_v<T, From> && kBytes >= 4) {
    ptx::cp_async<kBytes>(to, from, inside);
  } else {
    static_assert(kVec == 1 && std::is_same_v<T, Bf16>);
    std::uint16_t bits = 0;
    if (inside) {
      if constexpr (std::is_same_v<T, From>)
        bits = from->bits;
      else
        bits = static_cast<std::uint16_t>(ptx::pack_bf16(*from, 0));
    }
    to->bits = bits;
  }
}

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
    constexpr int kPiece = kPieceOf<typename Slices::Element>;
    return near * Slices::kDepth + Slices::piece(near, depth() / kPiece) * kPiece +
           depth() % kPiece + apart * Slices::kDepth;
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
    constexpr int kPiece = kPieceOf<typename Slices::Element>;
    return near * kTileColumns +
           Slices::piece(near, column(i) / kPiece, kTileColumns / kPiece) * kPiece +
           column(i) % kPiece + apart * kTileColumns;
  }
};

/// data[row * pitch + depth].
template <class T>
struct RowMatrix {
  const T* data;
  std::int64_t pitch;
  int rows, depth;
};

template <class Slices, int kTileRows, int kThreads, int kVec,
          class From = typename Slices::Element>
class MatrixByRow {
 public:
  using Element = typename Slices::Element;
  static constexpr bool kByRow = true;

  GLIA_INLINE MatrixByRow(const RowMatrix<From>& matrix, int row, int depth)
      : pitch_(bytes_of<From>(static_cast<int>(matrix.pitch))),
        rows_left_(matrix.rows - row - Part::row(0)),
        depth_left_(matrix.depth - depth - Part::depth()),
        from_(matrix.data + (row + Part::row(0)) * matrix.pitch + depth + Part::depth()) {}

  /// Starts the copies of the next slice.
  GLIA_INLINE void copy_slice(Element* slice) {
#pragma unroll
    for (int i = 0; i < Part::kCopies; ++i) {
      const bool inside = (depth_left_ > 0) & (rows_left_ > i * Part::kPass);
      copy<kVec>(slice + Part::offset(i), ptx::advanced(from_, i * Part::kPass, pitch_), inside);
    }
    from_ += Slices::kDepth;
    depth_left_ -= Slices::kDepth;
  }

 private:
  using Part = RowPart<Slices, kTileRows, kThreads, kVec>;
  int pitch_, rows_left_, depth_left_;
  const From* from_;  // of the first copy of the next slice
};

/// data[depth * pitch + column].
template <class T>
struct ColumnMatrix {
  const T* data;
  int pitch, depth, columns;
};

/// Copy i of a slice by depth, of the depth that starts with `from`.
template <class Part, int kVec, class T, class From>
GLIA_INLINE void copy_depth(T* slice, int i, const From* from, bool inside, int columns_left) {
#pragma unroll
  for (int j = 0; j < Part::kSpan; ++j)
    copy<kVec>(slice + Part::offset(i, j), from + Part::column(j) - Part::column(0),
               inside & (columns_left > Part::column(j)));
}

template <class Slices, int kTileColumns, int kThreads, int kVec,
          class From = typename Slices::Element>
class MatrixByDepth {
 public:
  using Element = typename Slices::Element;
  static constexpr bool kByRow = false;

  GLIA_INLINE MatrixByDepth(const ColumnMatrix<From>& matrix, int column, int depth)
      : pitch_(bytes_of<From>(matrix.pitch)),
        columns_left_(matrix.columns - column),
        depth_left_(matrix.depth - depth - Part::depth()),
        from_(
            ptx::advanced(matrix.data + column + Part::column(0), depth + Part::depth(), pitch_)) {}

  GLIA_INLINE void copy_slice(Element* slice) {
#pragma unroll
    for (int i = 0; i < Part::kCopies; ++i)
      copy_depth<Part, kVec>(slice, i, ptx::advanced(from_, i * Part::kPass, pitch_),
                             depth_left_ > i * Part::kPass, columns_left_);
    from_ = ptx::advanced(from_, Slices::kDepth, pitch_);
    depth_left_ -= Slices::kDepth;
  }

 private:
  using Part = DepthPart<Slices, kTileColumns, kThreads, kVec>;
  int pitch_, columns_left_, depth_left_;
  const From* from_;  // of the first copy of the next slice
};

/// data[strides.low * low + strides.middle * middle + strides.high * high + column], where the
/// digits are those of the depth: taps of windows.
template <class T>
struct TapMatrix {
  const T* data;
  Radix radix;
  Strides strides;
  int depth, columns;
};

template <class Slices, int kTileColumns, int kThreads, int kVec>
class TapsByDepth {
 public:
  using Element = typename Slices::Element;
  static constexpr bool kByRow = false;

  GLIA_INLINE TapsByDepth(const TapMatrix<Element>& matrix, int column, int depth)
      : matrix_(matrix),
        columns_left_(matrix.columns - column),
        depth_(depth + Part::depth()),
        at_(matrix.radix.digits(depth_)),
        step_(matrix.radix.digits(Slices::kDepth)),
        pass_(matrix.radix.digits(Part::kPass)),
        together_(matrix.radix.low % Slices::kDepth == 0) {
    matrix_.data += column + Part::column(0);
  }

  GLIA_INLINE void copy_slice(Element* slice) {
    if (together_) {
      // The higher digits are those of all depths of the slice.
      const Element* from = place(at_);
      const int stride = bytes_of<Element>(matrix_.strides.low);
#pragma unroll
      for (int i = 0; i < Part::kCopies; ++i)
        copy_depth<Part, kVec>(slice, i, ptx::advanced(from, i * Part::kPass, stride), inside(i),
                               columns_left_);
    } else {
      Digits at = at_;
#pragma unroll 1
      for (int i = 0; i < Part::kCopies; ++i) {
        copy_depth<Part, kVec>(slice, i, place(at), inside(i), columns_left_);
        matrix_.radix.add(at, pass_);
      }
    }
    matrix_.radix.add(at_, step_);
    depth_ += Slices::kDepth;
  }

 private:
  using Part = DepthPart<Slices, kTileColumns, kThreads, kVec>;

  GLIA_INLINE const Element* place(const Digits& at) const {
    const Strides& by = matrix_.strides;
    const Element* low = ptx::advanced(matrix_.data, at.low, bytes_of<Element>(by.low));
    const Element* middle = ptx::advanced(low, at.middle, bytes_of<Element>(by.middle));
    return ptx::advanced(middle, at.high, bytes_of<Element>(by.high));
  }
  GLIA_INLINE bool inside(int copy) const {
    return depth_ + copy * Part::kPass < matrix_.depth;
  }

  TapMatrix<Element> matrix_;
  int columns_left_, depth_;
  Digits at_, step_, pass_;
  bool together_;  // slices do not cross from one middle digit to the next
};

}  // namespace glia::GLIA_GPU
