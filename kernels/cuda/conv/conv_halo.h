// A convolution 3x3 of stride 1 on tensor cores, in bf16 or tf32, that brings the pixels of its
// input to shared memory once for nine taps. mma_tile.h's products gather a pixel for each tap that
// reads it, and L2 cannot deliver them as fast as tensor cores multiply.
//
// Work mapping: a block computes 8x16 positions of the grid, the rows of its tile, and kColumns
// channels of the result; a warp 64x64 or 64x32 of them. It walks through the input's channels in
// chunks, of 64 in bf16, of 32 in tf32: the pixels under its positions, 10x18 of them, are a patch;
// a tap's weights for a chunk are a slice of b. A row of a fragment is a pixel of the patch, so
// that a tap is no more than another address of ldmatrix.
//
// Shared memory: two patches of 30 KiB, one of which is filled while the other is read, and a ring
// of three slices of b of 128 bytes a column: 108 KiB for 128 columns, 84 for 64.
//
// An input that is read through a map (kernels/api/read_map.h): who copied an element applies the
// map to it in the patch, two taps later, once for nine taps; pixels outside the image stay 0. No
// barrier more.
//
// How patches lie and are copied: conv_patch.h.
#pragma once

#include "kernels/cuda/conv/conv_patch.h"
#include "kernels/cuda/conv/gemm_schedule.h"
#include "kernels/cuda/conv/mma_store.h"
#include "kernels/cuda/conv/mma_tile.h"

namespace glia::GLIA_GPU {

template <class T>
using PatchOf =
    PatchLayout<T, kHaloRows + kHaloTaps - 1, kHaloColumns + kHaloTaps - 1, kPatchPitch>;
using Patch = PatchOf<Bf16>;

template <class Tile>
struct HaloSmem {
  using T = typename Tile::Element;
  static constexpr int kStages = kHaloTaps;
  alignas(128) T patches[2][PatchOf<T>::kElements];
  alignas(128) T b[kStages][Tile::kColumns * Tile::kDepth];
};

/// Copies a block's patches, each chunk in three parts, so that they are spread over its taps.
template <class Tile, int kVec, class From>
using ChunkCopies =
    PatchCopies<PatchOf<typename Tile::Element>, Tile::kThreads, kVec, kHaloTaps, From>;

/// And applies a map to what arrives, so that a tensor that is read through one need not be
/// written.
template <class Copies>
struct MappedCopies {
  const Copies& copies;
  Strided<const float> map;

  template <class T>
  GLIA_INLINE void copy_part(T* patch, int chunk, int part) const {
    copies.copy_part(patch, chunk, part);
  }
  template <class T>
  GLIA_INLINE void map_part(T* patch, int chunk, int part) const {
    copies.map_part(patch, chunk, part, map);
  }
};
template <class A, class T>
inline constexpr bool kMapsPatches = requires(const A& a, T* patch) {
  a.map_part(patch, 0, 0);
};

/// By how many elements a walk along the taps' weights advances: to the next tap of a row, from the
/// last of a row to the next row's first, and from the last of all to the next chunk's first.
struct TapSteps {
  int tap, row, chunk;
};

/// The taps' weights in the order of the walk, by row: those of RowMatrix, whose depth is (r, s,
/// channel).
template <class Tile, int kVec>
class TapSlicesByRow {
  using T = typename Tile::Element;

 public:
  static constexpr bool kByRow = true;

  GLIA_INLINE TapSlicesByRow(const RowMatrix<T>& matrix, int channels, int column, int chunk)
      : steps{channels, channels, PatchOf<T>::kChannels - 8 * channels},
        pitch_(bytes_of<T>(static_cast<int>(matrix.pitch))),
        rows_left_(matrix.rows - column - Part::row(0)),
        from_(matrix.data + (column + Part::row(0)) * matrix.pitch + chunk * PatchOf<T>::kChannels +
              Part::depth()) {}

  /// The next tap's. It then advances by `step`.
  GLIA_INLINE void copy_slice(T* slice, int step) {
#pragma unroll
    for (int i = 0; i < Part::kCopies; ++i)
      copy<kVec>(slice + Part::offset(i), ptx::advanced(from_, i * Part::kPass, pitch_),
                 rows_left_ > i * Part::kPass);
    from_ += step;
  }

  const TapSteps steps;

 private:
  using Part = RowPart<MmaRowsB<T>, Tile::kColumns, Tile::kThreads, kVec>;
  int pitch_, rows_left_;
  const T* from_;
};

/// And by depth.
template <class Tile, int kVec>
class TapSlicesByDepth {
  using T = typename Tile::Element;

 public:
  static constexpr bool kByRow = false;

  GLIA_INLINE TapSlicesByDepth(const TapMatrix<T>& matrix, int column, int chunk)
      : steps{matrix.strides.middle, matrix.strides.high - 2 * matrix.strides.middle,
              PatchOf<T>::kChannels * matrix.strides.low -
                  2 * (matrix.strides.high + matrix.strides.middle)},
        pitch_(bytes_of<T>(matrix.strides.low)),
        columns_left_(matrix.columns - column),
        from_(ptx::advanced(matrix.data + column + Part::column(0),
                            chunk * PatchOf<T>::kChannels + Part::depth(), pitch_)) {}

  GLIA_INLINE void copy_slice(T* slice, int step) {
#pragma unroll
    for (int i = 0; i < Part::kCopies; ++i)
      copy_depth<Part, kVec>(slice, i, ptx::advanced(from_, i * Part::kPass, pitch_), true,
                             columns_left_);
    from_ += step;
  }

  const TapSteps steps;

 private:
  using Part = DepthPart<MmaDepths<T>, Tile::kColumns, Tile::kThreads, kVec>;
  int pitch_, columns_left_;
  const T* from_;
};

/// a of a warp: its fragments of one step, of 16 neighbouring pixels of a row each.
template <class Tile>
struct PatchFragments {
  using T = typename Tile::Element;
  int offsets[kHaloTaps];  // of this lane's 16 bytes: of step 0 and the tap's column s

  GLIA_INLINE PatchFragments() {
    static_assert(kHaloColumns == 16 && Tile::kRows == kHaloRows * kHaloColumns);
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int s = 0; s < kHaloTaps; ++s)
      offsets[s] = PatchOf<T>::offset(Tile::warp_row() / kHaloColumns, lane % 16 + s,
                                      lane / 16 * kPieceOf<T>);
  }
  /// `pixels` is the patch from row r on.
  GLIA_INLINE void load(std::uint32_t (&a)[Tile::kFragmentRows][4], const T* pixels, int s,
                        int step) const {
    // A step's two pieces differ from those of step 0 in bits that the permutation changes alike.
    const T* first = pixels + (offsets[s] ^ (step * kMmaStep<T>));
#pragma unroll
    for (int i = 0; i < Tile::kFragmentRows; ++i) {
      ptx::ldmatrix<4>(a[i], first + i * PatchOf<T>::kRowPitch);
#pragma unroll
      for (std::uint32_t& element : a[i]) element = as_factor<T>(element);
    }
  }
};

/// sum += the products of `chunks` chunks from `first` on, waiting until kPending groups of copies
/// at most are on their way. All threads of the block call it.
template <int kPending = 1, class Tile, class A, class B>
GLIA_INLINE void multiply_halo(HaloSmem<Tile>& smem, const A& a, B& b, int first, int chunks,
                               MmaSums<Tile>& sum) {
  using T = typename Tile::Element;
  const PatchFragments<Tile> read_a;
  const MmaFragmentsB<Tile, B::kByRow> read_b;
  if (chunks > 0) {
#pragma unroll 1
    for (int part = 0; part < kHaloTaps; ++part) a.copy_part(smem.patches[0], first, part);
    b.copy_slice(smem.b[0], b.steps.tap);
    ptx::cp_async_commit();
    b.copy_slice(smem.b[1], b.steps.tap);
    ptx::cp_async_commit();
    if constexpr (kMapsPatches<A, T>) {
      // This thread's part of the first patch has arrived.
      ptx::cp_async_wait<kPending>();
#pragma unroll 1
      for (int part = 0; part < kHaloTaps; ++part) a.map_part(smem.patches[0], first, part);
    }
  }
  int r = 0, taps_left = chunks * kHaloTaps * kHaloTaps;
#pragma unroll 1
  for (int row = 0; row < chunks * kHaloTaps; ++row) {
    const int chunk = row / kHaloTaps;
    const T* pixels = smem.patches[chunk % 2] + r * PatchOf<T>::kRowPitch;
    const bool last_row = r == kHaloTaps - 1;
#pragma unroll
    for (int s = 0; s < kHaloTaps; ++s, --taps_left) {
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
            multiply_add<T>(sum.at[i][j], fa[i], fb[j]);
          if (step == 0 && i == 0) {
            // Two taps ahead.
            if (taps_left > 2)
              b.copy_slice(smem.b[(s + 2) % kHaloTaps], s > 0      ? b.steps.tap
                                                        : last_row ? b.steps.chunk
                                                                   : b.steps.row);
            if (s == 0 && chunk < chunks - 1)
              a.copy_part(smem.patches[(chunk + 1) % 2], first + chunk + 1, r);
            ptx::cp_async_commit();
          }
        }
      }
      // What this thread copied at the row's first tap arrived before its last; the next patch is
      // read after another barrier.
      if constexpr (kMapsPatches<A, T>)
        if (s == kHaloTaps - 1 && chunk < chunks - 1)
          a.map_part(smem.patches[(chunk + 1) % 2], first + chunk + 1, r);
    }
    r = last_row ? 0 : r + 1;
  }
}

/// Writes a thread's part of the tile; kBByRow as store_rows has it.
template <class Tile, bool kBByRow, class A>
GLIA_INLINE void store_patch(const Output& output, const Share& share, const PatchPlace& place,
                             const Gather<A>& a, const MmaSums<Tile>& sum) {
  const int g = threadIdx.x % 32 / 4, first = place.i + Tile::warp_row() / kHaloColumns;
  const auto pixel = [&](int n) {
    const int i = first + n / 2, j = place.j + g + n % 2 * 8;
    if (i >= a.grid_rows || j >= a.grid_columns) return -1;
    return (place.n * a.grid_rows + i) * a.grid_columns + j;
  };
  store_rows<Tile, kBByRow>(output, share, sum, {}, [&](int n, Digits&) -> std::int64_t {
    const int at = pixel(n);
    return at < 0 ? -1 : at * output.pitch;
  });
  if constexpr (kBByRow) store_moments(output, share, sum, [&](int n) { return pixel(n) >= 0; });
}

}  // namespace glia::GLIA_GPU
