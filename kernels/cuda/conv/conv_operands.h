// Operands of gemm_tile.h that are gathered from images: the pixels under a window, without writing
// them out as a matrix first. Outside the image they are 0.
#pragma once

#include "kernels/cuda/conv/gemm_operands.h"

namespace glia::GLIA_GPU {

/// For each position (n, i, j) of a grid, the pixels (n, i * step_h + offset_h + r,
/// j * step_w + offset_w + s) of an image, r < taps_h, s < taps_w.
struct Gather {
  const float* data;
  std::int64_t pitch;
  int images, height, width, channels;
  int grid_rows, grid_columns, step_h, step_w, offset_h, offset_w;
  int taps_h, taps_w;
};

/// Where the window of one position starts: its pixel, which may lie outside the image, and the
/// number of that pixel. Four words, so that one access reads it.
struct alignas(16) WindowStart {
  int h, w, pixel, unused;
};

constexpr int kOutside = -2147483647;  // stays negative under any window position

/// 0 <= i < end, as a number: conditions are joined by &, which does not branch as && would.
GLIA_INLINE int within(int i, int end) {
  return static_cast<unsigned>(i) < static_cast<unsigned>(end);
}

template <class Tile>
struct GatherSmem {
  GemmRing<Tile> ring;
  WindowStart starts[Tile::kRows];
};

/// Rows are positions, the depth runs over (r, s, channel).
template <class Tile, int kVec>
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
      WindowStart start = {kOutside, 0, 0, 0};
      if (at.high < g.images) {
        start.h = at.middle * g.step_h + g.offset_h;
        start.w = at.low * g.step_w + g.offset_w;
        start.pixel = (at.high * g.height + start.h) * g.width + start.w;
      }
      starts[i] = start;
    }
    // The table is complete before anybody copies by it.
    __syncthreads();
    tap_ = radix_.digits(depth + Part::depth());
    step_ = radix_.digits(kGemmSlice);
  }

  GLIA_INLINE void copy_slice(float* slice) {
    const Gather& g = gather_;
    const int shift = tap_.high * g.width + tap_.middle;
#pragma unroll
    for (int i = 0; i < Part::kCopies; ++i) {
      const WindowStart start = starts_[Part::row(i)];
      const std::int64_t offset = (start.pixel + shift) * g.pitch + tap_.low;
      const bool inside = (tap_.high < g.taps_h) & within(start.h + tap_.high, g.height) &
                          within(start.w + tap_.middle, g.width);
      ptx::cp_async<4 * kVec>(slice + Part::template offset<kPermuteA>(i),
                              g.data + (inside ? offset : 0), inside);
    }
    radix_.add(tap_, step_);
  }

 private:
  using Part = RowPart<Tile::kRows, Tile::kThreads, kVec>;
  Gather gather_;
  const WindowStart* starts_;
  Radix radix_;
  Digits tap_, step_;
};

/// Rows are (r, s, channel), the depth runs over positions: the operand of wgrad.
template <class Tile, int kVec>
class WindowsByDepth {
 public:
  static constexpr bool kByRow = false;

  GLIA_INLINE WindowsByDepth(const Gather& gather, int row, int depth)
      : gather_(gather),
        radix_{gather.grid_columns, gather.grid_rows},
        at_(radix_.digits(depth + Part::depth())),
        step_(radix_.digits(Part::kPass)) {
    const Radix window{gather.channels, gather.taps_w};
#pragma unroll
    for (int j = 0; j < Part::kSpan; ++j) {
      const Digits tap = window.digits(row + Part::column(j));
      live_[j] = tap.high < gather.taps_h;
      h_[j] = tap.high + gather.offset_h;
      w_[j] = tap.middle + gather.offset_w;
      channel_[j] = tap.low;
    }
  }

  GLIA_INLINE void copy_slice(float* slice) {
    const Gather& g = gather_;
#pragma unroll
    for (int i = 0; i < Part::kCopies; ++i) {
#pragma unroll
      for (int j = 0; j < Part::kSpan; ++j) {
        const int h = at_.middle * g.step_h + h_[j], w = at_.low * g.step_w + w_[j];
        const std::int64_t pixel = (at_.high * g.height + h) * g.width + w;
        const std::int64_t offset = pixel * g.pitch + channel_[j];
        const bool inside =
            live_[j] & (at_.high < g.images) & within(h, g.height) & within(w, g.width);
        ptx::cp_async<4 * kVec>(slice + Part::offset(i, j), g.data + (inside ? offset : 0), inside);
      }
      radix_.add(at_, step_);
    }
  }

 private:
  using Part = DepthPart<Tile::kRows, Tile::kThreads, kVec>;
  Gather gather_;
  Radix radix_;
  Digits at_, step_;
  bool live_[Part::kSpan];
  int h_[Part::kSpan], w_[Part::kSpan], channel_[Part::kSpan];
};

}  // namespace glia::GLIA_GPU
