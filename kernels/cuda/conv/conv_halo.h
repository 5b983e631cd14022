// A convolution 3x3 of stride 1 on tensor cores, in bf16, that brings the pixels of its input to
// shared memory once for nine taps. mma_tile.h's products gather a pixel for each tap that reads
// it, and L2 cannot deliver them as fast as tensor cores multiply.
//
// Work mapping: a block computes 8x16 positions of the grid, the rows of its tile, and kColumns
// channels of the result; a warp 64x64 or 64x32 of them. It walks through the input's channels in
// chunks of 64: the pixels under its positions, 10x18 of them, are a patch; each tap's 64 channels
// of weights are a slice of b. A row of a fragment is a pixel of the patch, so that a tap is no
// more than another address of ldmatrix.
//
// Shared memory: two patches of 30 KiB, one of which is filled while the other is read, and a ring
// of three slices of b of 128 bytes a column: 108 KiB for 128 columns, 84 for 64.
//
// How a patch lies: [row][column][channel], 24 columns a row, of which 18 are used, so that where
// the 16-byte pieces of a pixel go depends on its column alone: eight neighbours of any row, which
// ldmatrix reads at a time, find different banks.
#pragma once

#include "kernels/cuda/conv/conv_operands.h"
#include "kernels/cuda/conv/gemm_schedule.h"
#include "kernels/cuda/conv/mma_tile.h"

namespace glia::GLIA_GPU {

struct Patch {
  static constexpr int kTaps = kHaloTaps, kChannels = kMmaSlice<Bf16>;
  static constexpr int kRows = kHaloRows + kTaps - 1, kColumns = kHaloColumns + kTaps - 1;
  static constexpr int kPixels = kRows * kColumns;
  static constexpr int kRowPitch = 24 * kChannels;
  static_assert(kColumns <= 24);

  /// Where a channel of the pixel lies.
  GLIA_INLINE static int offset(int row, int column, int channel) {
    return row * kRowPitch + column * kChannels + ((channel / 8) ^ (column & 7)) * 8 + channel % 8;
  }
};

template <class Tile>
struct HaloSmem {
  static constexpr int kStages = Patch::kTaps;
  alignas(128) Bf16 patches[2][Patch::kRows * Patch::kRowPitch];
  alignas(128) Bf16 b[kStages][Tile::kColumns * Tile::kDepth];
};

/// The positions of a block: image n, from row i and column j of the grid on.
struct HaloPlace {
  int n, i, j;

  template <class T>
  GLIA_INLINE HaloPlace(const Gather<T>& g, int patch) {
    const Radix patches{ceil_div(g.grid_columns, kHaloColumns), ceil_div(g.grid_rows, kHaloRows)};
    const Digits at = patches.digits(patch);
    n = at.high, i = at.middle * kHaloRows, j = at.low * kHaloColumns;
  }

 private:
  GLIA_INLINE static int ceil_div(int a, int b) { return (a + b - 1) / b; }
};

/// Copies patches: each chunk in three parts, so that they are spread over its taps.
template <int kThreads, int kVec, class From>
class PatchCopies {
 public:
  GLIA_INLINE PatchCopies(const Gather<From>& gather, const HaloPlace& place)
      : gather_(gather),
        n_(place.n),
        h_(place.i + gather.offset_h),
        w_(place.j + gather.offset_w) {}

  GLIA_INLINE void copy_part(Bf16* patch, int chunk, int part) const {
    const Gather<From>& g = gather_;
    const From* from = g.data + chunk * Patch::kChannels;
#pragma unroll(kVec > 1 ? kPart : 1)
    for (int i = 0; i < kPart; ++i) {
      const int unit = (part * kPart + i) * kThreads + static_cast<int>(threadIdx.x);
      const int pixel = unit / kUnits, channel = unit % kUnits * kVec;
      if (pixel >= Patch::kPixels) break;
      const int row = pixel / Patch::kColumns, column = pixel % Patch::kColumns;
      const int h = h_ + row, w = w_ + column;
      const bool inside = (h >= 0) & (h < g.height) & (w >= 0) & (w < g.width);
      copy<kVec>(
          patch + Patch::offset(row, column, channel),
          ptx::advanced(from + channel, (n_ * g.height + h) * g.width + w, bytes_of<From>(g.pitch)),
          inside);
    }
  }

 private:
  static constexpr int kUnits = Patch::kChannels / kVec;  // copies a pixel
  static constexpr int kPart =
      (Patch::kPixels * kUnits + 3 * kThreads - 1) / (3 * kThreads);  // of a thread
  Gather<From> gather_;
  int n_, h_, w_;  // of the patch's first pixel, which may lie outside the image
};

/// A tap's weights, by row: those of RowMatrix, whose depth is (r, s, channel).
template <class Tile, int kVec>
class TapSlicesByRow {
 public:
  static constexpr bool kByRow = true;

  GLIA_INLINE TapSlicesByRow(const RowMatrix<Bf16>& matrix, int channels, int column)
      : pitch_(bytes_of<Bf16>(static_cast<int>(matrix.pitch))),
        channels_(channels),
        rows_left_(matrix.rows - column - Part::row(0)),
        from_(matrix.data + (column + Part::row(0)) * matrix.pitch + Part::depth()) {}

  GLIA_INLINE void copy_slice(Bf16* slice, int chunk, int r, int s) const {
    const Bf16* from = from_ + (r * Patch::kTaps + s) * channels_ + chunk * Patch::kChannels;
#pragma unroll
    for (int i = 0; i < Part::kCopies; ++i)
      copy<kVec>(slice + Part::offset(i), ptx::advanced(from, i * Part::kPass, pitch_),
                 rows_left_ > i * Part::kPass);
  }

 private:
  using Part = RowPart<MmaRowsB<Bf16>, Tile::kColumns, Tile::kThreads, kVec>;
  int pitch_, channels_, rows_left_;
  const Bf16* from_;
};

/// And by depth.
template <class Tile, int kVec>
class TapSlicesByDepth {
 public:
  static constexpr bool kByRow = false;

  GLIA_INLINE TapSlicesByDepth(const TapMatrix<Bf16>& matrix, int column)
      : strides_(matrix.strides),
        columns_left_(matrix.columns - column),
        from_(ptx::advanced(matrix.data + column + Part::column(0), Part::depth(),
                            bytes_of<Bf16>(matrix.strides.low))) {}

  GLIA_INLINE void copy_slice(Bf16* slice, int chunk, int r, int s) const {
    const int pitch = bytes_of<Bf16>(strides_.low);
    const Bf16* from = ptx::advanced(from_ + r * strides_.high + s * strides_.middle,
                                     chunk * Patch::kChannels, pitch);
#pragma unroll
    for (int i = 0; i < Part::kCopies; ++i)
      copy_depth<Part, kVec>(slice, i, ptx::advanced(from, i * Part::kPass, pitch), true,
                             columns_left_);
  }

 private:
  using Part = DepthPart<MmaDepths<Bf16>, Tile::kColumns, Tile::kThreads, kVec>;
  Strides strides_;
  int columns_left_;
  const Bf16* from_;
};

/// a of a warp: its fragments of one step, of 16 neighbouring pixels of a row each.
template <class Tile>
struct PatchFragments {
  int offsets[Patch::kTaps];  // of this lane's 16 bytes: of step 0 and the tap's column s

  GLIA_INLINE PatchFragments() {
    static_assert(kHaloColumns == 16 && Tile::kRows == kHaloRows * kHaloColumns);
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int s = 0; s < Patch::kTaps; ++s)
      offsets[s] = Patch::offset(Tile::warp_row() / kHaloColumns, lane % 16 + s, lane / 16 * 8);
  }
  /// `pixels` is the patch from row r on.
  GLIA_INLINE void load(std::uint32_t (&a)[Tile::kFragmentRows][4], const Bf16* pixels, int s,
                        int step) const {
    // A step's two pieces differ from those of step 0 in bits that the permutation changes alike.
#pragma unroll
    for (int i = 0; i < Tile::kFragmentRows; ++i)
      ptx::ldmatrix<4>(a[i], pixels + (offsets[s] ^ step * kMmaStep<Bf16>)+i * Patch::kRowPitch);
  }
};

/// sum += the products of `chunks` chunks from `first` on, waiting until kPending groups of copies
/// at most are on their way. All threads of the block call it.
template <int kPending = 1, class Tile, class A, class B>
GLIA_INLINE void multiply_halo(HaloSmem<Tile>& smem, const A& a, const B& b, int first, int chunks,
                               MmaSums<Tile>& sum) {
  constexpr int kTaps = Patch::kTaps;
  const PatchFragments<Tile> read_a;
  const MmaFragmentsB<Tile, B::kByRow> read_b;
  if (chunks > 0) {
#pragma unroll 1
    for (int part = 0; part < kTaps; ++part) a.copy_part(smem.patches[0], first, part);
    b.copy_slice(smem.b[0], first, 0, 0);
    ptx::cp_async_commit();
    b.copy_slice(smem.b[1], first, 0, 1);
    ptx::cp_async_commit();
  }
  int r = 0;
#pragma unroll 1
  for (int row = 0; row < chunks * kTaps; ++row) {
    const int chunk = row / kTaps;
    const Bf16* pixels = smem.patches[chunk % 2] + r * Patch::kRowPitch;
    const bool last_row = r == kTaps - 1, last_chunk = chunk == chunks - 1;
#pragma unroll
    for (int s = 0; s < kTaps; ++s) {
      ptx::cp_async_wait<kPending>();
      // The slice of this tap and, at a chunk's first, its patch have arrived for all threads; all
      // have finished with the tap before, whose slice is filled again now, and at a chunk's first
      // with the other patch.
      __syncthreads();
#pragma unroll
      for (int step = 0; step < kMmaSteps; ++step) {
        std::uint32_t fa[Tile::kFragmentRows][4], fb[Tile::kFragmentColumns][2];
        read_a.load(fa, pixels, s, step);
        read_b.load(fb, smem.b[s], step);
#pragma unroll
        for (int i = 0; i < Tile::kFragmentRows; ++i) {
#pragma unroll
          for (int j = 0; j < Tile::kFragmentColumns; ++j)
            multiply_add<Bf16>(sum.at[i][j], fa[i], fb[j]);
          if (step == 0 && i == 0) {
            // Two taps ahead.
            if (s == 0)
              b.copy_slice(smem.b[2], first + chunk, r, 2);
            else if (!last_row)
              b.copy_slice(smem.b[s - 1], first + chunk, r + 1, s - 1);
            else if (!last_chunk)
              b.copy_slice(smem.b[s - 1], first + chunk + 1, 0, s - 1);
            if (s == 0 && !last_chunk)
              a.copy_part(smem.patches[(chunk + 1) % 2], first + chunk + 1, r);
            ptx::cp_async_commit();
          }
        }
      }
    }
    r = last_row ? 0 : r + 1;
  }
}

}  // namespace glia::GLIA_GPU
