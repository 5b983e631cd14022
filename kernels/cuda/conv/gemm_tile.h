// A matrix product in float32, c[row, column] = sum over depth of a[row, depth] * b[depth, column]:
// the part that all tiled convolutions share. Where operands come from and results go is up to
// gemm_operands.h, conv_operands.h and gemm_output.h.
//
// Work mapping: a block computes one tile of c (kGemmTiles), a warp 64x32 of it, a thread 8x8 in
// registers. Operands arrive in slices 16 deep through a ring of three stages, which cp.async fills
// two ahead. Blocks with the same tile and another blockIdx.y compute other parts of the sums.
//
// Shared memory: 3 stages of (rows + columns) * 16 floats: 36 KiB for a tile of 128x64, 30
// for 128x32, 18 for 64x32; kernels that gather windows add 8 bytes a row (conv_operands.h).
//
// How slices lie in shared memory: gemm_slices.h. The eight lanes that read at a time find eight
// different groups of four banks. Where a lies by row, a thread's eight rows are 8 apart, else they
// are two runs of four.
#pragma once

#include "kernels/cuda/conv/gemm_operands.h"
#include "kernels/cuda/conv/gemm_schedule.h"

namespace glia::GLIA_GPU {

constexpr int kStages = 3, kMicro = 8;

template <int kIndex>
struct BlockTile {
  static constexpr int kRows = kGemmTiles[kIndex].rows, kColumns = kGemmTiles[kIndex].columns;
  static constexpr int kThreads = kGemmTiles[kIndex].threads();
  static constexpr int kResident = kGemmTiles[kIndex].resident;
  static constexpr int kWarpsAcross = kColumns / 32;
};

template <class Tile>
struct GemmRing {
  alignas(16) float a[kStages][Tile::kRows * kGemmSlice];
  alignas(16) float b[kStages][Tile::kColumns * kGemmSlice];
};

/// The part of the block's tile that a thread computes.
template <class Tile, bool kAByRow>
struct Place {
  static constexpr int kWarpRows = 64;
  int row, column;  // the first of each

  GLIA_INLINE Place() {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    row = warp / Tile::kWarpsAcross * kWarpRows + lane / 4 * (kAByRow ? 1 : 4);
    column = warp % Tile::kWarpsAcross * 32 + lane % 4 * 4;
  }
  // How far row i and column j of eight are from the first. Turns of a thread's rows are equal, and
  // so are those of its columns.
  GLIA_INLINE static constexpr int row_step(int i) { return kAByRow ? 8 * i : i / 4 * 32 + i % 4; }
  GLIA_INLINE static constexpr int column_step(int j) { return j / 4 * 16 + j % 4; }
};

GLIA_INLINE void load4(float* to, const float* from) {
  const float4 v = *reinterpret_cast<const float4*>(from);
  to[0] = v.x, to[1] = v.y, to[2] = v.z, to[3] = v.w;
}

/// sum += the product of two slices.
template <class Tile, bool kAByRow, bool kBByRow>
GLIA_INLINE void multiply_slice(const float* a, const float* b, float (&sum)[kMicro][kMicro]) {
  static_assert(kAByRow || !kBByRow, "no pass needs a by depth and b by row");
  using Steps = Place<Tile, kAByRow>;
  const Steps place;
  a += kAByRow ? place.row * kGemmSlice : place.row;
  b += kBByRow ? place.column * kGemmSlice : place.column;
  const int a_turn = ScalarRowsA::turn(place.row), b_turn = ScalarRowsB::turn(place.column);
#pragma unroll
  for (int piece = 0; piece < kGemmSlice / 4; ++piece) {
    float rows[kMicro][4];  // four depths of each row
    if constexpr (kAByRow) {
#pragma unroll
      for (int i = 0; i < kMicro; ++i)
        load4(rows[i], a + Steps::row_step(i) * kGemmSlice + (piece ^ a_turn) * 4);
    }
    if constexpr (kBByRow) {
#pragma unroll
      for (int j = 0; j < kMicro; ++j) {
        float column[4];
        load4(column, b + Steps::column_step(j) * kGemmSlice + (piece ^ b_turn) * 4);
#pragma unroll
        for (int d = 0; d < 4; ++d)
#pragma unroll
          for (int i = 0; i < kMicro; ++i) sum[i][j] += rows[i][d] * column[d];
      }
    } else {
#pragma unroll
      for (int d = 0; d < 4; ++d) {
        float x[kMicro], y[kMicro];
        const int depth = 4 * piece + d;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          load4(y + 4 * half, b + depth * Tile::kColumns + Steps::column_step(4 * half));
          if constexpr (!kAByRow)
            load4(x + 4 * half, a + depth * Tile::kRows + Steps::row_step(4 * half));
        }
        if constexpr (kAByRow) {
#pragma unroll
          for (int i = 0; i < kMicro; ++i) x[i] = rows[i][d];
        }
#pragma unroll
        for (int i = 0; i < kMicro; ++i)
#pragma unroll
          for (int j = 0; j < kMicro; ++j) sum[i][j] += x[i] * y[j];
      }
    }
  }
}

/// sum += the product of `slices` slices that `a` and `b` copy one after the other. All threads of
/// the block call it.
template <class Tile, class A, class B>
GLIA_INLINE void multiply(GemmRing<Tile>& ring, A& a, B& b, int slices,
                          float (&sum)[kMicro][kMicro]) {
  for (int s = 0; s < kStages - 1; ++s) {
    if (s < slices) {
      a.copy_slice(ring.a[s]);
      b.copy_slice(ring.b[s]);
    }
    ptx::cp_async_commit();
  }
  int stage = 0;
  for (int s = 0; s < slices; ++s) {
    ptx::cp_async_wait<kStages - 2>();
    // Slice s has arrived for all threads; and all have finished with slice s - 1, whose stage is
    // filled again now.
    __syncthreads();
    if (s + kStages - 1 < slices) {
      const int finished = stage == 0 ? kStages - 1 : stage - 1;
      a.copy_slice(ring.a[finished]);
      b.copy_slice(ring.b[finished]);
    }
    ptx::cp_async_commit();
    multiply_slice<Tile, A::kByRow, B::kByRow>(ring.a[stage], ring.b[stage], sum);
    stage = stage == kStages - 1 ? 0 : stage + 1;
  }
}

}  // namespace glia::GLIA_GPU
