// The end of gemm_tile.h's products: from registers to the output.
#pragma once

#include "kernels/cuda/conv/gemm_output.h"
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

  // What all rows of the output have in common.
  std::int64_t offsets[kMicro];
  float bias[kMicro] = {};
  bool live[kMicro];
#pragma unroll
  for (int j = 0; j < kMicro; ++j) {
    const int c = kTransposed ? row + Steps::row_step(j) : column + Steps::column_step(j);
    live[j] = c < output.columns;
    offsets[j] = live[j] ? output.offset(c, bias[j]) + share.split * output.split_step : 0;
  }

  const Radix grid = output.grid();
  Digits at = grid.digits(row);
  const Digits step = grid.digits(Steps::row_step(1));
#pragma unroll
  for (int i = 0; i < kMicro; ++i) {
    const int m = kTransposed ? column + Steps::column_step(i) : row + Steps::row_step(i);
    if (m >= output.rows) break;
    float* to = output.row(m, at);
    grid.add(at, step);
    float values[kMicro];
#pragma unroll
    for (int j = 0; j < kMicro; ++j) values[j] = (kTransposed ? sum[j][i] : sum[i][j]) + bias[j];
    if (output.fours) {
#pragma unroll
      for (int j = 0; j < kMicro; j += 4)
        if (live[j]) output.put4(to + offsets[j], values + j);
    } else {
#pragma unroll
      for (int j = 0; j < kMicro; ++j)
        if (live[j]) output.put(to + offsets[j], values[j]);
    }
  }
}

}  // namespace glia::GLIA_GPU
