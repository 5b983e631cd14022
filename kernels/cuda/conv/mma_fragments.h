// Fragments of mma_tile.h's operands, from slices in shared memory to registers.
//
// Lane 4g + t holds of a the rows g and g + 8, of b the column g, of c the rows g and g + 8 and the
// columns 2t and 2t + 1; of the depths t and t + 4, in bf16 the pairs at 2t and 2t + 8 (ptx.h).
// Which row of the tile stands for row g of a fragment is free, as long as a and c agree; so are
// columns:
//   by row    ldmatrix brings rows of 16 bytes, a quarter or an eighth of a slice's depth: a's in
//             their order; b's so that a thread ends up with eight neighbouring columns of c, 8t …
//             8t + 7 of every 32, which it writes 16 bytes at a time
//   by depth  in float32 a thread reads neighbours of a depth at once, two rows or four columns,
//             and deals them out, since there is no transposing ldmatrix for elements of 32 bits;
//             again columns 8t … 8t + 7 are its own. In bf16 the transposing ldmatrix brings rows
//             and columns in their order.
// The lanes that read at a time find different banks: gemm_slices.h.
#pragma once

#include <type_traits>

#include "kernels/cuda/conv/conv_choice.h"
#include "kernels/cuda/conv/gemm_digits.h"
#include "kernels/cuda/conv/gemm_slices.h"
#include "kernels/cuda/ptx.h"

namespace glia::GLIA_GPU {

/// A tile of products of T.
template <int kIndex, class T>
struct MmaBlock {
  using Element = T;
  static constexpr MmaTile kTile = kMmaTiles[kIndex];
  static constexpr int kRows = kTile.rows, kColumns = kTile.columns;
  static constexpr int kThreads = kTile.threads(), kResident = kTile.resident;
  static constexpr int kStages = kTile.stages, kDepth = kMmaSlice<T>;
  static constexpr int kWarpRows = kTile.warp_rows, kWarpColumns = kTile.warp_columns;
  static constexpr int kWarpsAcross = kColumns / kWarpColumns;
  // Fragments of 16 rows and of 8 columns in a warp.
  static constexpr int kFragmentRows = kWarpRows / 16, kFragmentColumns = kWarpColumns / 8;

  /// Where the warp's part of the tile starts.
  GLIA_INLINE static int warp_row() {
    return static_cast<int>(threadIdx.x) / 32 / kWarpsAcross * kWarpRows;
  }
  GLIA_INLINE static int warp_column() {
    return static_cast<int>(threadIdx.x) / 32 % kWarpsAcross * kWarpColumns;
  }
};

template <class Tile>
struct MmaSums {
  float at[Tile::kFragmentRows][Tile::kFragmentColumns][4] = {};
};

constexpr int kMmaStepBytes = 32;
constexpr int kMmaSteps = kMmaSliceBytes / kMmaStepBytes;
/// Depth of one mma.
template <class T>
inline constexpr int kMmaStep = kMmaStepBytes / static_cast<int>(sizeof(T));

/// What ldmatrix brings, as an mma takes it: float32 rounded to tf32, pairs of bf16 as they are.
template <class T>
GLIA_INLINE std::uint32_t as_factor(std::uint32_t bits) {
  if constexpr (std::is_same_v<T, float>)
    return ptx::nearest_tf32(__uint_as_float(bits));
  else
    return bits;
}

/// a of a warp: all its fragments of one step.
template <class Tile, bool kByRow, class T = typename Tile::Element>
struct MmaFragmentsA;
/// And b.
template <class Tile, bool kByRow, class T = typename Tile::Element>
struct MmaFragmentsB;

template <class Tile, class T>
struct MmaFragmentsA<Tile, true, T> {
  int offsets[kMmaSteps];  // of this lane's row of 16 bytes, in elements

  GLIA_INLINE MmaFragmentsA() {
    const int lane = threadIdx.x % 32, row = Tile::warp_row() + lane % 16;
#pragma unroll
    for (int step = 0; step < kMmaSteps; ++step)
      offsets[step] =
          row * Tile::kDepth + MmaRowsA<T>::piece(row, 2 * step + lane / 16) * kPieceOf<T>;
  }
  GLIA_INLINE void load(std::uint32_t (&a)[Tile::kFragmentRows][4],
                        const typename Tile::Element* slice, int step) const {
#pragma unroll
    for (int i = 0; i < Tile::kFragmentRows; ++i) {
      ptx::ldmatrix<4>(a[i], slice + offsets[step] + 16 * i * Tile::kDepth);
#pragma unroll
      for (std::uint32_t& element : a[i]) element = as_factor<T>(element);
    }
  }
};

template <class Tile, class T>
struct MmaFragmentsB<Tile, true, T> {
  int offsets[kMmaSteps];

  GLIA_INLINE MmaFragmentsB() {
    // Lanes 0…15 give the two pieces of one fragment's columns, the others those of the next.
    const int lane = threadIdx.x % 32, c = lane % 8;
    const int row = Tile::warp_column() + c / 2 * 8 + c % 2 + lane / 16 * 2;
#pragma unroll
    for (int step = 0; step < kMmaSteps; ++step)
      offsets[step] =
          row * Tile::kDepth + MmaRowsB<T>::piece(row, 2 * step + lane / 8 % 2) * kPieceOf<T>;
  }
  GLIA_INLINE void load(std::uint32_t (&b)[Tile::kFragmentColumns][2],
                        const typename Tile::Element* slice, int step) const {
#pragma unroll
    for (int j = 0; j < Tile::kFragmentColumns; j += 2) {
      std::uint32_t two[4];
      ptx::ldmatrix<4>(two, slice + offsets[step] + (j / 4 * 32 + j % 4 * 2) * Tile::kDepth);
#pragma unroll
      for (int e = 0; e < 4; ++e) b[j + e / 2][e % 2] = as_factor<T>(two[e]);
    }
  }
};

/// In float32 by depth lane 4g + t reads its part of depth t, and then of t + 4: two neighbouring
/// rows, which are rows g and g + 8 of a fragment, and so come to registers side by side, as mma
/// wants them.
template <class Tile>
struct MmaFragmentsA<Tile, false, float> {
  int offsets[2];  // of even and odd fragments

  GLIA_INLINE MmaFragmentsA() {
    const int lane = threadIdx.x % 32, t = lane % 4;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int row = Tile::warp_row() + 16 * i + lane / 4 * 2;
      offsets[i] =
          t * Tile::kRows + MmaDepths<float>::piece(t, row / 4, Tile::kRows / 4) * 4 + row % 4;
    }
  }
  GLIA_INLINE void load(std::uint32_t (&a)[Tile::kFragmentRows][4],
                        const typename Tile::Element* slice, int step) const {
#pragma unroll
    for (int i = 0; i < Tile::kFragmentRows; ++i)
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const int depth = step * kMmaStep<float> + 4 * h;
        const float* from = slice + offsets[i % 2] + i / 2 * 32 + depth * Tile::kRows;
        const float2 two = *reinterpret_cast<const float2*>(from);
        a[i][2 * h] = ptx::nearest_tf32(two.x), a[i][2 * h + 1] = ptx::nearest_tf32(two.y);
      }
  }
};

/// And four neighbouring columns, which are column g of four fragments.
template <class Tile>
struct MmaFragmentsB<Tile, false, float> {
  int offset;
  std::uint32_t zero = blockIdx.z;

  GLIA_INLINE MmaFragmentsB() {
    const int lane = threadIdx.x % 32, t = lane % 4;
    offset = t * Tile::kColumns +
             MmaDepths<float>::piece(t, Tile::warp_column() / 4 + lane / 4, Tile::kColumns / 4) * 4;
  }
  GLIA_INLINE void load(std::uint32_t (&b)[Tile::kFragmentColumns][2],
                        const typename Tile::Element* slice, int step) const {
#pragma unroll
    for (int q = 0; q < Tile::kFragmentColumns / 4; ++q)
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const int depth = step * kMmaStep<float> + 4 * h;
        const float* from = slice + offset + 32 * q + depth * Tile::kColumns;
        const float4 four = *reinterpret_cast<const float4*>(from);
        const float values[] = {four.x, four.y, four.z, four.w};
        // nvcc rounds in place, and would move the result each time that a fragment is used; the
        // addition of a 0 that it does not know of brings it there once.
#pragma unroll
        for (int e = 0; e < 4; ++e) b[4 * q + e][h] = ptx::nearest_tf32(values[e]) + zero;
      }
  }
};

/// In bf16 by depth: eight depths of eight neighbouring rows, or columns, are a matrix that
/// ldmatrix transposes. Steps are a period of the slices apart.
template <class Tile>
struct MmaFragmentsA<Tile, false, Bf16> {
  int offsets[Tile::kFragmentRows];  // of this lane's 16 bytes, of step 0

  GLIA_INLINE MmaFragmentsA() {
    // Lanes 0…15 give the two halves of the rows at the first eight depths, the others at the next.
    const int lane = threadIdx.x % 32, depth = lane % 8 + lane / 16 * 8;
#pragma unroll
    for (int i = 0; i < Tile::kFragmentRows; ++i) {
      const int piece = Tile::warp_row() / 8 + 2 * i + lane / 8 % 2;
      offsets[i] = depth * Tile::kRows + MmaDepths<Bf16>::piece(depth, piece, Tile::kRows / 8) * 8;
    }
  }
  GLIA_INLINE void load(std::uint32_t (&a)[Tile::kFragmentRows][4], const Bf16* slice,
                        int step) const {
#pragma unroll
    for (int i = 0; i < Tile::kFragmentRows; ++i)
      ptx::ldmatrix<4, true>(a[i], slice + offsets[i] + step * kMmaStep<Bf16> * Tile::kRows);
  }
};

template <class Tile>
struct MmaFragmentsB<Tile, false, Bf16> {
  int offsets[Tile::kFragmentColumns / 2];

  GLIA_INLINE MmaFragmentsB() {
    // Lanes 0…15 give both depths of one fragment's columns, the others those of the next.
    const int lane = threadIdx.x % 32, depth = lane % 16;
#pragma unroll
    for (int j = 0; j < Tile::kFragmentColumns; j += 2) {
      const int piece = Tile::warp_column() / 8 + j + lane / 16;
      offsets[j / 2] =
          depth * Tile::kColumns + MmaDepths<Bf16>::piece(depth, piece, Tile::kColumns / 8) * 8;
    }
  }
  GLIA_INLINE void load(std::uint32_t (&b)[Tile::kFragmentColumns][2], const Bf16* slice,
                        int step) const {
#pragma unroll
    for (int j = 0; j < Tile::kFragmentColumns; j += 2) {
      std::uint32_t two[4];
      ptx::ldmatrix<4, true>(two, slice + offsets[j / 2] + step * kMmaStep<Bf16> * Tile::kColumns);
#pragma unroll
      for (int e = 0; e < 4; ++e) b[j + e / 2][e % 2] = two[e];
    }
  }
};

/// sum += the product of two fragments of T.
template <class T>
GLIA_INLINE void multiply_add(float (&sum)[4], const std::uint32_t (&a)[4],
                              const std::uint32_t (&b)[2]) {
  if constexpr (std::is_same_v<T, float>)
    ptx::mma_tf32_m16n8k8(sum, a, b);
  else
    ptx::mma_bf16_m16n8k16(sum, a, b);
}

}  // namespace glia::GLIA_GPU
