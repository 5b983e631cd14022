// Operands of products that are gathered from images: the pixels under a window, without writing
// them out as a matrix first. Outside the image they are 0.
#pragma once

#include <algorithm>

#include "kernels/cuda/conv/gemm_operands.h"

namespace glia::GLIA_GPU {

/// For each position (n, i, j) of a grid, the pixels (n, i * step_h + offset_h + r,
/// j * step_w + offset_w + s) of an image, r < taps_h, s < taps_w.
template <class T>
struct Gather {
  const T* data;
  int pitch;
  int images, height, width, channels;
  int grid_rows, grid_columns, step_h, step_w, offset_h, offset_w;
  int taps_h, taps_w;
};

/// Bits first, first + 1, …, of those i < count with 0 <= start + i < end.
GLIA_INLINE std::uint32_t bits_within(int start, int count, int end) {
  const int first = min(max(0, -start), count), last = max(first, min(count, end - start));
  return (1u << last) - (1u << first);
}

/// Where the window of one position starts: the number of its pixel, which may lie outside the
/// image, and which of its taps lie inside: bit r if row r does, bit 16 + s if column s does. A tap
/// is inside if both are.
struct alignas(8) WindowStart {
  int pixel;
  std::uint32_t inside;

  GLIA_INLINE static std::uint32_t bits(int r, int s) { return 1u << r | 1u << (kMaxTaps + s); }

  WindowStart() = default;
  /// Of position `at` of the gather's grid; beyond the last nothing is inside.
  template <class T>
  GLIA_INLINE WindowStart(const Gather<T>& g, const Digits& at) : pixel(0), inside(0) {
    if (at.high >= g.images) return;
    const int h = at.middle * g.step_h + g.offset_h, w = at.low * g.step_w + g.offset_w;
    pixel = (at.high * g.height + h) * g.width + w;
    inside = bits_within(h, g.taps_h, g.height) | bits_within(w, g.taps_w, g.width) << kMaxTaps;
  }
};

/// Of how many copies the starts are read first: each run of copies waits for shared memory once.
template <class Part>
inline constexpr int kBatch = std::min(Part::kCopies, 8);

/// Shared memory of a product whose rows are windows.
template <class Tile, class Ring>
struct GatherSmem {
  Ring ring;
  WindowStart starts[Tile::kRows];
};

/// Rows are positions, the depth runs over (r, s, channel).
template <class Slices, class Tile, int kVec, class From = typename Slices::Element>
class WindowsByRow {
 public:
  using Element = typename Slices::Element;
  static constexpr bool kByRow = true;

  /// All threads of the block call it; `starts` is in shared memory.
  GLIA_INLINE WindowsByRow(const Gather<From>& gather, WindowStart* starts, int row, int depth)
      : gather_(gather), starts_(starts), radix_{gather.channels, gather.taps_w} {
    const Gather<From>& g = gather_;
    const Radix grid{g.grid_columns, g.grid_rows};
    for (int i = threadIdx.x; i < Tile::kRows; i += Tile::kThreads)
      starts[i] = WindowStart(g, grid.digits(row + i));
    // The table is complete before anybody copies by it.
    __syncthreads();
    tap_ = radix_.digits(depth + Part::depth());
    step_ = radix_.digits(Slices::kDepth);
  }

  GLIA_INLINE void copy_slice(Element* slice) {
    const Gather<From>& g = gather_;
    const int shift = tap_.high * g.width + tap_.middle;
    const bool live = tap_.high < g.taps_h;
    const std::uint32_t tap = live ? WindowStart::bits(tap_.high, tap_.middle) : 0;
    const From* from = g.data + tap_.low;
#pragma unroll
    for (int first = 0; first < Part::kCopies; first += kBatch<Part>) {
      WindowStart starts[kBatch<Part>];
#pragma unroll
      for (int i = 0; i < kBatch<Part>; ++i) starts[i] = starts_[Part::row(first + i)];
#pragma unroll
      for (int i = 0; i < kBatch<Part>; ++i) {
        const bool inside = live & ((starts[i].inside & tap) == tap);
        copy<kVec>(slice + Part::offset(first + i),
                   ptx::advanced(from, starts[i].pixel + shift, bytes_of<From>(g.pitch)), inside);
      }
    }
    radix_.add(tap_, step_);
  }

 private:
  using Part = RowPart<Slices, Tile::kRows, Tile::kThreads, kVec>;
  Gather<From> gather_;
  const WindowStart* starts_;
  Radix radix_;
  Digits tap_, step_;
};

/// Shared memory of a product whose depths are windows: those of some slices, in turn.
template <class Ring, class Slices, int kStages>
struct DepthSmem {
  static constexpr int kAhead = kStages - 1, kSlots = 2 * kAhead;
  Ring ring;
  WindowStart starts[kSlots][Slices::kDepth];
};

/// Columns are (r, s, channel), the depth runs over positions: the operand of wgrad. Where the
/// windows of a slice start is found once for all threads, kAhead slices before it is copied: a
/// barrier of the product lies between.
template <class Slices, int kTileColumns, int kThreads, int kVec, class Smem>
class WindowsByDepth {
 public:
  using Element = typename Slices::Element;
  static constexpr bool kByRow = false;

  /// All threads of the block call it.
  GLIA_INLINE WindowsByDepth(const Gather<Element>& gather, Smem& smem, int column, int depth)
      : gather_(gather), smem_(smem), grid_{gather.grid_columns, gather.grid_rows} {
    const Gather<Element>& g = gather_;
    at_ = grid_.digits(depth + static_cast<int>(threadIdx.x) % Slices::kDepth);
    step_ = grid_.digits(Slices::kDepth);
    for (int s = 0; s < Smem::kAhead; ++s) find_starts(s);
    const Radix window{g.channels, g.taps_w};
#pragma unroll
    for (int j = 0; j < Part::kSpan; ++j) {
      const Digits tap = window.digits(column + Part::column(j));
      live_[j] = tap.high < g.taps_h;
      tap_[j] = live_[j] ? WindowStart::bits(tap.high, tap.middle) : 0;
      from_[j] = ptx::advanced(g.data + tap.low, tap.high * g.width + tap.middle,
                               bytes_of<Element>(g.pitch));
    }
    // The tables of the first slices are complete.
    __syncthreads();
  }

  GLIA_INLINE void copy_slice(Element* slice) {
    const WindowStart* table = smem_.starts[slot_];
#pragma unroll
    for (int first = 0; first < Part::kCopies; first += kBatch<Part>) {
      WindowStart starts[kBatch<Part>];
#pragma unroll
      for (int i = 0; i < kBatch<Part>; ++i)
        starts[i] = table[Part::depth() + (first + i) * Part::kPass];
#pragma unroll
      for (int i = 0; i < kBatch<Part>; ++i)
#pragma unroll
        for (int j = 0; j < Part::kSpan; ++j)
          copy<kVec>(slice + Part::offset(first + i, j),
                     ptx::advanced(from_[j], starts[i].pixel, bytes_of<Element>(gather_.pitch)),
                     live_[j] & ((starts[i].inside & tap_[j]) == tap_[j]));
    }
    find_starts((slot_ + Smem::kAhead) % Smem::kSlots);
    slot_ = slot_ == Smem::kSlots - 1 ? 0 : slot_ + 1;
  }

 private:
  using Part = DepthPart<Slices, kTileColumns, kThreads, kVec>;

  GLIA_INLINE void find_starts(int slot) {
    if (threadIdx.x >= Slices::kDepth) return;
    smem_.starts[slot][threadIdx.x] = WindowStart(gather_, at_);
    grid_.add(at_, step_);
  }

  Gather<Element> gather_;
  Smem& smem_;
  Radix grid_;
  Digits at_, step_;  // of this thread's entry of the tables
  int slot_ = 0;
  bool live_[Part::kSpan];
  std::uint32_t tap_[Part::kSpan];
  const Element* from_[Part::kSpan];  // the tap of a window that starts at pixel 0
};

}  // namespace glia::GLIA_GPU
