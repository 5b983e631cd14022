// Operands of products that are gathered from images: the pixels under a window, without writing
// them out as a matrix first. Outside the image they are 0.
#pragma once

#include "kernels/cuda/conv/gemm_operands.h"

namespace glia::GLIA_GPU {

/// For each position (n, i, j) of a grid, the pixels (n, i * step_h + offset_h + r,
/// j * step_w + offset_w + s) of an image, r < taps_h, s < taps_w.
struct Gather {
  const float* data;
  int pitch;
  int images, height, width, channels;
  int grid_rows, grid_columns, step_h, step_w, offset_h, offset_w;
  int taps_h, taps_w;

  GLIA_INLINE int positions() const { return images * grid_rows * grid_columns; }
};

/// Where the window of one position starts: the number of its pixel, which may lie outside the
/// image, and which of its taps lie inside: bit r if row r does, bit 16 + s if column s does. A tap
/// is inside if both are.
struct alignas(8) WindowStart {
  int pixel;
  std::uint32_t inside;

  GLIA_INLINE static std::uint32_t bits(int r, int s) { return 1u << r | 1u << (kMaxTaps + s); }
};

/// 0 <= i < end, as a number: conditions are joined by &, which does not branch as && would.
GLIA_INLINE int within(int i, int end) {
  return static_cast<unsigned>(i) < static_cast<unsigned>(end);
}

/// Bits first, first + 1, …, `count` in all, of those i with 0 <= start + i < end.
GLIA_INLINE std::uint32_t bits_within(int start, int count, int end) {
  std::uint32_t bits = 0;
  for (int i = 0; i < count; ++i) bits |= static_cast<std::uint32_t>(within(start + i, end)) << i;
  return bits;
}

/// Shared memory of a product whose rows are windows.
template <class Tile, class Ring>
struct GatherSmem {
  Ring ring;
  WindowStart starts[Tile::kRows];
};

/// Rows are positions, the depth runs over (r, s, channel).
template <class Slices, class Tile, int kVec>
class WindowsByRow {
 public:
  static constexpr bool kByRow = true;

  /// All threads of the block call it; `starts` is in shared memory.
  GLIA_INLINE WindowsByRow(const Gather& gather, WindowStart* starts, int row, int depth)
      : gather_(gather), starts_(starts), radix_{gather.channels, gather.taps_w} {
    const Gather& g = gather_;
    const Radix grid{g.grid_columns, g.grid_rows};
    for (int i = threadIdx.x; i < Tile::kRows; i += Tile::kThreads) {
      const Digits at = grid.digits(row + i);
      WindowStart start = {0, 0};
      if (at.high < g.images) {
        const int h = at.middle * g.step_h + g.offset_h, w = at.low * g.step_w + g.offset_w;
        start.pixel = (at.high * g.height + h) * g.width + w;
        start.inside = bits_within(h, g.taps_h, g.height) | bits_within(w, g.taps_w, g.width)
                                                                << kMaxTaps;
      }
      starts[i] = start;
    }
    // The table is complete before anybody copies by it.
    __syncthreads();
    tap_ = radix_.digits(depth + Part::depth());
    step_ = radix_.digits(Slices::kDepth);
  }

  GLIA_INLINE void copy_slice(float* slice) {
    const Gather& g = gather_;
    const int shift = tap_.high * g.width + tap_.middle;
    const bool live = tap_.high < g.taps_h;
    const std::uint32_t tap = live ? WindowStart::bits(tap_.high, tap_.middle) : 0;
    const float* from = g.data + tap_.low;
#pragma unroll
    for (int i = 0; i < Part::kCopies; ++i) {
      const WindowStart start = starts_[Part::row(i)];
      const bool inside = live & ((start.inside & tap) == tap);
      ptx::cp_async<4 * kVec>(slice + Part::offset(i),
                              ptx::advanced(from, start.pixel + shift, 4 * g.pitch), inside);
    }
    radix_.add(tap_, step_);
  }

 private:
  using Part = RowPart<Slices, Tile::kRows, Tile::kThreads, kVec>;
  Gather gather_;
  const WindowStart* starts_;
  Radix radix_;
  Digits tap_, step_;
};

/// Columns are (r, s, channel), the depth runs over positions: the operand of wgrad.
template <class Slices, int kTileColumns, int kThreads, int kVec>
class WindowsByDepth {
 public:
  static constexpr bool kByRow = false;

  GLIA_INLINE WindowsByDepth(const Gather& gather, int column, int depth)
      : gather_(gather), left_(gather.positions() - depth - Part::depth()) {
    const Gather& g = gather_;
    const Radix grid{g.grid_columns, g.grid_rows};
    const Digits at = grid.digits(depth + Part::depth());
    h_ = at.middle * g.step_h;
    w_ = at.low * g.step_w;
    pixel_ = (at.high * g.height + h_) * g.width + w_;
    const Digits step = grid.digits(Part::kPass);
    step_h_ = step.middle * g.step_h;
    step_w_ = step.low * g.step_w;
    step_ = (step.high * g.height + step_h_) * g.width + step_w_;
    const Radix window{g.channels, g.taps_w};
#pragma unroll
    for (int j = 0; j < Part::kSpan; ++j) {
      const Digits tap = window.digits(column + Part::column(j));
      tap_h_[j] = tap.high < g.taps_h ? tap.high + g.offset_h : kOutside;
      tap_w_[j] = tap.middle + g.offset_w;
      from_[j] = ptx::advanced(g.data + tap.low, (tap.high + g.offset_h) * g.width + tap_w_[j],
                               4 * g.pitch);
    }
  }

  GLIA_INLINE void copy_slice(float* slice) {
    const Gather& g = gather_;
    const int end_w = g.grid_columns * g.step_w, end_h = g.grid_rows * g.step_h;
#pragma unroll
    for (int i = 0; i < Part::kCopies; ++i) {
#pragma unroll
      for (int j = 0; j < Part::kSpan; ++j) {
        const bool inside = (left_ > i * Part::kPass) & within(h_ + tap_h_[j], g.height) &
                            within(w_ + tap_w_[j], g.width);
        ptx::cp_async<4 * kVec>(slice + Part::offset(i, j),
                                ptx::advanced(from_[j], pixel_, 4 * g.pitch), inside);
      }
      // On to the next position, without a division.
      w_ += step_w_;
      h_ += step_h_;
      pixel_ += step_;
      if (w_ >= end_w) {
        w_ -= end_w;
        h_ += g.step_h;
        pixel_ += g.step_h * g.width - end_w;
      }
      if (h_ >= end_h) {
        h_ -= end_h;
        pixel_ += (g.height - end_h) * g.width;
      }
    }
    left_ -= Slices::kDepth;
  }

 private:
  using Part = DepthPart<Slices, kTileColumns, kThreads, kVec>;
  static constexpr int kOutside = -2147483647 / 2;  // stays negative at any position

  Gather gather_;
  int left_;           // positions until the last
  int h_, w_, pixel_;  // of the next position, without offset and tap
  int step_h_, step_w_, step_;
  int tap_h_[Part::kSpan], tap_w_[Part::kSpan];
  const float* from_[Part::kSpan];  // the pixel at position 0
};

}  // namespace glia::GLIA_GPU
