// The end of gemm_tile.h's products: from registers to the output.
#pragma once

#include "kernels/cuda/conv/gemm_moments.h"
#include "kernels/cuda/conv/gemm_tile.h"

namespace glia::GLIA_GPU {

/// Writes a thread's part of the tile. With kTransposed the output's rows are the product's
/// columns.
template <class Tile, bool kAByRow, bool kTransposed = false>
GLIA_INLINE void store(const Output& output, const Share& share,
                       const float (&sum)[kMicro][kMicro]) {
  static_assert(!kTransposed || !kAByRow, "four results in a row need rows of a side by side");
  static_assert(kTransposed || kAByRow, "rows at equal distances, for walking along the grid");
  using Steps = Place<Tile, kAByRow>;
  const Steps place;
  const int row = share.row + place.row, column = share.column + place.column;

  static_assert(kMicro == OutputRun<4, float>::kColumns);
  const OutputRun<4, float> run(output, share.split, [&](int j) {
    return kTransposed ? row + Steps::row_step(j) : column + Steps::column_step(j);
  });

  const Radix grid = output.grid();
  Digits at = grid.digits(row);
  const Digits step = grid.digits(Steps::row_step(1));
#pragma unroll
  for (int i = 0; i < kMicro; ++i) {
    const int m = kTransposed ? column + Steps::column_step(i) : row + Steps::row_step(i);
    if (m >= output.rows) break;
    const std::int64_t to = output.row(m, at);
    grid.add(at, step);
    run.put(output, to, [&](int j) { return kTransposed ? sum[j][i] : sum[i][j]; });
  }
}

/// The moments of a forward pass's tile, where they are asked for.
template <class Tile>
GLIA_INLINE void store_moments(const Output& output, const Share& share,
                               const float (&sum)[kMicro][kMicro]) {
  using Steps = Place<Tile, true>;
  static_assert(kMicro == kMomentColumns && Steps::kWarpRows == Steps::row_step(kMicro));
  const Steps place;
  std::uint32_t live = 0;
#pragma unroll
  for (int i = 0; i < kMicro; ++i)
    if (share.row + place.row + Steps::row_step(i) < output.rows) live |= 1u << i;
  tile_moments<Tile, Steps::kWarpRows, 1, kMicro>(
      output, share, place.row, live,
      [&](int, int c) { return place.column + Steps::column_step(c); },
      [&](int, int i, int c) { return sum[i][c]; });
}

}  // namespace glia::GLIA_GPU
