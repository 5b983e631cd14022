// A matrix product on tensor cores, c[row, column] = sum over depth of a[row, depth] * b[depth,
// column]: operands in float32, rounded to tf32 (ten bits of mantissa, to nearest) as they come to
// registers; products exact, sums in float32. The operands are gathered as for gemm_tile.h, by the
// classes of gemm_operands.h and conv_operands.h.
//
// Work mapping: a block computes one tile of c (kMmaTiles), a warp 64x64 or less of it in fragments
// of 16x8 (mma.sync.m16n8k8). Operands arrive in slices 32 deep through a ring of stages, which
// cp.async fills as many ahead as there are, less one. The copies of a slice are queued after the
// first row of products, so that tensor cores start right after the barrier.
//
// Shared memory: stages * (rows + columns) * 128 bytes: 96 KiB for a tile of 128x128, 80 for
// 256x64 and 64x256, 72 for 128x64, 36 for 64x32; kernels that gather windows add 8 bytes a row.
//
// Fragments: lane 4g + t holds of a the rows g and g + 8 and the depths t and t + 4, of b the
// column g and these depths, of c the rows g and g + 8 and the columns 2t and 2t + 1 (ptx.h). Which
// row of the tile stands for row g of a fragment is free, as long as a and c agree; so are columns:
//   by row    ldmatrix brings rows of 16 bytes, four depths: a's in their order; b's so that
//             a thread ends up with eight neighbouring columns of c
//   by depth  a thread reads neighbours of a depth at once, two rows or four columns, and
//             deals them out: there is no transposing ldmatrix for elements of 32 bits
// Either way thread t owns columns 8t … 8t + 7 of every 32, which it writes 16 bytes at a time.
// The lanes that read at a time find different banks: gemm_slices.h.
#pragma once

#include "kernels/cuda/conv/conv_choice.h"
#include "kernels/cuda/conv/gemm_digits.h"
#include "kernels/cuda/conv/gemm_slices.h"
#include "kernels/cuda/ptx.h"

namespace glia::GLIA_GPU {

template <int kIndex>
struct MmaBlock {
  static constexpr MmaTile kTile = kMmaTiles[kIndex];
  static constexpr int kRows = kTile.rows, kColumns = kTile.columns;
  static constexpr int kThreads = kTile.threads(), kResident = kTile.resident;
  static constexpr int kStages = kTile.stages;
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
struct MmaRing {
  alignas(128) float a[Tile::kStages][Tile::kRows * kMmaSlice];
  alignas(128) float b[Tile::kStages][Tile::kColumns * kMmaSlice];
};

template <class Tile>
struct MmaSums {
  float at[Tile::kFragmentRows][Tile::kFragmentColumns][4] = {};
};

constexpr int kMmaStep = 8;  // depth of one mma
constexpr int kMmaSteps = kMmaSlice / kMmaStep;

GLIA_INLINE std::uint32_t rounded(std::uint32_t bits) {
  return ptx::nearest_tf32(__uint_as_float(bits));
}

/// a of a warp: all its fragments of one step.
template <class Tile, bool kByRow>
struct MmaFragmentsA;
/// And b.
template <class Tile, bool kByRow>
struct MmaFragmentsB;

template <class Tile>
struct MmaFragmentsA<Tile, true> {
  int offsets[kMmaSteps];  // of this lane's row of 16 bytes, in floats

  GLIA_INLINE MmaFragmentsA() {
    const int lane = threadIdx.x % 32, row = Tile::warp_row() + lane % 16;
#pragma unroll
    for (int step = 0; step < kMmaSteps; ++step)
      offsets[step] = row * kMmaSlice + MmaRowsA::piece(row, 2 * step + lane / 16) * 4;
  }
  GLIA_INLINE void load(std::uint32_t (&a)[Tile::kFragmentRows][4], const float* slice,
                        int step) const {
#pragma unroll
    for (int i = 0; i < Tile::kFragmentRows; ++i) {
      ptx::ldmatrix<4>(a[i], slice + offsets[step] + 16 * i * kMmaSlice);
#pragma unroll
      for (std::uint32_t& element : a[i]) element = rounded(element);
    }
  }
};

template <class Tile>
struct MmaFragmentsB<Tile, true> {
  int offsets[kMmaSteps];

  GLIA_INLINE MmaFragmentsB() {
    // Lanes 0…15 give the two pieces of one fragment's columns, the others those of the next.
    const int lane = threadIdx.x % 32, c = lane % 8;
    const int row = Tile::warp_column() + c / 2 * 8 + c % 2 + lane / 16 * 2;
#pragma unroll
    for (int step = 0; step < kMmaSteps; ++step)
      offsets[step] = row * kMmaSlice + MmaRowsB::piece(row, 2 * step + lane / 8 % 2) * 4;
  }
  GLIA_INLINE void load(std::uint32_t (&b)[Tile::kFragmentColumns][2], const float* slice,
                        int step) const {
#pragma unroll
    for (int j = 0; j < Tile::kFragmentColumns; j += 2) {
      std::uint32_t two[4];
      ptx::ldmatrix<4>(two, slice + offsets[step] + (j / 4 * 32 + j % 4 * 2) * kMmaSlice);
#pragma unroll
      for (int e = 0; e < 4; ++e) b[j + e / 2][e % 2] = rounded(two[e]);
    }
  }
};

/// By depth lane 4g + t reads its part of depth t, and then of t + 4: two neighbouring rows, which
/// are rows g and g + 8 of a fragment, and so come to registers side by side, as mma wants them.
template <class Tile>
struct MmaFragmentsA<Tile, false> {
  int offsets[2];  // of even and odd fragments

  GLIA_INLINE MmaFragmentsA() {
    const int lane = threadIdx.x % 32, t = lane % 4;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int row = Tile::warp_row() + 16 * i + lane / 4 * 2;
      offsets[i] = t * Tile::kRows + MmaDepths::piece(t, row / 4) * 4 + row % 4;
    }
  }
  GLIA_INLINE void load(std::uint32_t (&a)[Tile::kFragmentRows][4], const float* slice,
                        int step) const {
#pragma unroll
    for (int i = 0; i < Tile::kFragmentRows; ++i)
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const int depth = step * kMmaStep + 4 * h;
        const float* from = slice + offsets[i % 2] + i / 2 * 32 + depth * Tile::kRows;
        const float2 two = *reinterpret_cast<const float2*>(from);
        a[i][2 * h] = ptx::nearest_tf32(two.x), a[i][2 * h + 1] = ptx::nearest_tf32(two.y);
      }
  }
};

/// And four neighbouring columns, which are column g of four fragments.
template <class Tile>
struct MmaFragmentsB<Tile, false> {
  int offset;
  std::uint32_t zero = blockIdx.z;

  GLIA_INLINE MmaFragmentsB() {
    const int lane = threadIdx.x % 32, t = lane % 4;
    offset = t * Tile::kColumns + MmaDepths::piece(t, Tile::warp_column() / 4 + lane / 4) * 4;
  }
  GLIA_INLINE void load(std::uint32_t (&b)[Tile::kFragmentColumns][2], const float* slice,
                        int step) const {
#pragma unroll
    for (int q = 0; q < Tile::kFragmentColumns / 4; ++q)
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const int depth = step * kMmaStep + 4 * h;
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

/// sum += the product of `slices` slices that `a` and `b` copy one after the other, waiting until
/// kPending groups of copies at most are on their way. All threads of the block call it.
template <int kPending, class Tile, class A, class B>
GLIA_INLINE void multiply(MmaRing<Tile>& ring, A& a, B& b, int slices, MmaSums<Tile>& sum) {
  constexpr int kRing = Tile::kStages;
  const MmaFragmentsA<Tile, A::kByRow> read_a;
  const MmaFragmentsB<Tile, B::kByRow> read_b;
  for (int s = 0; s < kRing - 1; ++s) {
    if (s < slices) {
      a.copy_slice(ring.a[s]);
      b.copy_slice(ring.b[s]);
    }
    ptx::cp_async_commit();
  }
  int stage = 0;
#pragma unroll 1
  for (int s = 0; s < slices; ++s) {
    ptx::cp_async_wait<kPending>();
    // Slice s has arrived for all threads; and all have finished with slice s - 1, whose stage is
    // filled again now.
    __syncthreads();
#pragma unroll
    for (int step = 0; step < kMmaSteps; ++step) {
      std::uint32_t fa[Tile::kFragmentRows][4], fb[Tile::kFragmentColumns][2];
      read_a.load(fa, ring.a[stage], step);
      read_b.load(fb, ring.b[stage], step);
#pragma unroll
      for (int i = 0; i < Tile::kFragmentRows; ++i) {
#pragma unroll
        for (int j = 0; j < Tile::kFragmentColumns; ++j)
          ptx::mma_tf32_m16n8k8(sum.at[i][j], fa[i], fb[j]);
        if (step == 0 && i == 0) {
          if (s + kRing - 1 < slices) {
            const int finished = stage == 0 ? kRing - 1 : stage - 1;
            a.copy_slice(ring.a[finished]);
            b.copy_slice(ring.b[finished]);
          }
          ptx::cp_async_commit();
        }
      }
    }
    stage = stage == kRing - 1 ? 0 : stage + 1;
  }
}

template <class Tile, class A, class B>
GLIA_INLINE void multiply(MmaRing<Tile>& ring, A& a, B& b, int slices, MmaSums<Tile>& sum) {
  multiply<Tile::kStages - 2>(ring, a, b, slices, sum);
}

}  // namespace glia::GLIA_GPU
