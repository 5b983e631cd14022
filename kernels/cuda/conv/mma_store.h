// The end of mma_tile.h's products: from registers to the output.
#pragma once

#include "kernels/cuda/conv/gemm_output.h"
#include "kernels/cuda/conv/gemm_schedule.h"
#include "kernels/cuda/conv/mma_tile.h"

namespace glia::GLIA_GPU {

/// Writes a thread's part of the tile: of every 32 columns eight neighbours. kAByRow and kBByRow
/// are how the operands lay, which says whose results a thread holds (mma_tile.h).
template <class Tile, bool kAByRow, bool kBByRow>
GLIA_INLINE void store(const Output& output, const Share& share, const MmaSums<Tile>& sum) {
  const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
  const int first_row = share.row + Tile::warp_row() + (kAByRow ? g : 2 * g);
  const Radix grid = output.grid();
  const Digits first = grid.digits(first_row), step = grid.digits(8);

#pragma unroll
  for (int q = 0; q < Tile::kFragmentColumns / 4; ++q) {
    const int column = share.column + Tile::warp_column() + 32 * q + OutputRun::kColumns * t;
    const OutputRun run(output, share.split, [&](int c) { return column + c; });
    Digits at = first;
#pragma unroll
    for (int i = 0; i < 2 * Tile::kFragmentRows; ++i) {
      // The halves of fragment i / 2 are eight rows apart or, by depth, neighbours.
      const int m = first_row + (kAByRow ? 8 * i : i / 2 * 16 + i % 2);
      if (m >= output.rows) break;
      float* to = output.row(m, at);
      if constexpr (kAByRow) grid.add(at, step);
      const int h = 2 * (i % 2);
      run.put(output, to, [&](int c) {
        const float(&part)[4] = sum.at[i / 2][4 * q + (kBByRow ? c / 2 : c % 4)];
        return part[h + (kBByRow ? c % 2 : c / 4)];
      });
    }
  }
}

}  // namespace glia::GLIA_GPU
