// The moments of a forward pass's results, a channel each, taken while they are float32 sums in
// registers: a batch norm after the convolution then need not read what it wrote.
//
// Work: a warp sums up x - s and (x - s)^2 of its rows, s being its first one, since E[x^2] -
// E[x]^2 cancels: a lane its own rows of eight columns, then the lanes of a column by halves, in
// which each hands on what it does not keep. The warps of a block are merged by Chan's rule (Chan,
// Golub & LeVeque, 1983), and the blocks by a kernel of its own (gemm_moments.cu); all in a fixed
// order.
//
// Shared memory: two floats a column and warp, where the operands lay before: two barriers.
#pragma once

#include "kernels/cuda/conv/gemm_output.h"
#include "kernels/cuda/conv/gemm_schedule.h"

namespace glia::GLIA_GPU {

/// Columns of a thread at a time, and of the lanes that have the same ones.
constexpr int kMomentColumns = 8;

/// Which of a thread's eight columns it is left with by `sum_to_column`.
GLIA_INLINE int column_of_lane() {
  const int g = threadIdx.x % 32 / 4;
  return (g & 1) * 4 + (g & 2) + g / 4;
}

/// Of eight numbers, that of `column_of_lane`.
GLIA_INLINE float pick_column(float (&of)[kMomentColumns]) {
#pragma unroll
  for (int half = kMomentColumns / 2; half > 0; half /= 2) {
    const bool upper = threadIdx.x & (16 / half);
#pragma unroll
    for (int k = 0; k < half; ++k) of[k] = upper ? of[k + half] : of[k];
  }
  return of[0];
}

/// The sum of that column over the eight lanes of one threadIdx.x % 4. All of a warp have to come.
GLIA_INLINE float sum_to_column(float (&of)[kMomentColumns]) {
#pragma unroll
  for (int half = kMomentColumns / 2; half > 0; half /= 2) {
    const int lane = 16 / half;
    const bool upper = threadIdx.x & lane;
#pragma unroll
    for (int k = 0; k < half; ++k) {
      const float given = upper ? of[k] : of[k + half];
      const float kept = upper ? of[k + half] : of[k];
      of[k] = kept + __shfl_xor_sync(0xFFFFFFFFu, given, lane);
    }
  }
  return of[0];
}

/// How many rows of a warp are the output's: bit i of `live` says so of a thread's i-th, of kRows.
template <int kRows>
GLIA_INLINE int rows_of_warp(std::uint32_t live) {
  int rows = 0;
#pragma unroll
  for (int i = 0; i < kRows; ++i) rows += static_cast<int>(live >> i & 1);
#pragma unroll
  for (int lane = 4; lane < 32; lane *= 2) rows += __shfl_xor_sync(0xFFFFFFFFu, rows, lane);
  return rows;
}

/// What kDown rows of warps found of a tile's columns.
template <int kDown, int kColumns>
struct MomentsSmem {
  float mean[kDown][kColumns], squares[kDown][kColumns];
  int rows[kDown];
};

/// A warp's moments of the tile's columns column(c), c < 8: value(i, c) is the c-th of a thread's
/// i-th row, of kRows. `down` is the warp's row, of `rows` rows of the output. The first row of
/// lanes 0 to 3 is live if any is.
template <int kRows, class Smem, class Column, class Value>
GLIA_INLINE void put_moments(Smem& smem, int down, int rows, std::uint32_t live,
                             const Column& column, const Value& value) {
  float shift[kMomentColumns], sum[kMomentColumns] = {}, squares[kMomentColumns] = {};
#pragma unroll
  for (int c = 0; c < kMomentColumns; ++c)
    shift[c] = __shfl_sync(0xFFFFFFFFu, value(0, c), threadIdx.x % 4);
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
    if ((live >> i & 1) == 0) continue;
#pragma unroll
    for (int c = 0; c < kMomentColumns; ++c) {
      const float d = value(i, c) - shift[c];
      sum[c] += d;
      squares[c] += d * d;
    }
  }
  const float all = sum_to_column(sum), mean = all / rows;
  const float deviations = sum_to_column(squares) - all * mean;
  const int at = column(column_of_lane());
  smem.mean[down][at] = pick_column(shift) + mean;
  smem.squares[down][at] = deviations < 0 ? 0 : deviations;  // NaN stays
}

/// Merges the warps of a block and writes the tile's part of each channel.
template <class Tile, int kDown>
GLIA_INLINE void merge_warps(const Output& output, const Share& share,
                             const MomentsSmem<kDown, Tile::kColumns>& smem) {
  const int tile = share.row / Tile::kRows;
  for (int c = threadIdx.x; c < Tile::kColumns; c += Tile::kThreads) {
    const int channel = share.column + c;
    if (channel >= output.columns) break;
    // The first warp has rows wherever the block has.
    const float shift = smem.mean[0][c];
    float total = 0, squares = 0;
    int rows = 0;
#pragma unroll
    for (int down = 0; down < kDown; ++down) {
      if (smem.rows[down] == 0) continue;
      rows += smem.rows[down];
      total += smem.rows[down] * (smem.mean[down][c] - shift);
    }
    const float mean = shift + total / rows;
#pragma unroll
    for (int down = 0; down < kDown; ++down) {
      if (smem.rows[down] == 0) continue;
      const float d = smem.mean[down][c] - mean;
      squares += smem.squares[down][c] + smem.rows[down] * (d * d);
    }
    const ResultMoments& to = output.moments;
    const float bias = output.bias ? output.bias[channel] : 0;
    to.mean(channel, tile) = mean + bias;
    to.squares(channel, tile) = squares + (bias - bias);  // of NaN and infinities NaN
    if (channel == 0) to.rows(tile) = static_cast<float>(rows);
  }
}

/// The moments of a tile whose warps are kWarpRows high and kRuns runs of eight columns a thread
/// wide, where they are asked for. column(q, c) and value(q, i, c) are of run q. All threads of the
/// block call it.
template <class Tile, int kWarpRows, int kRuns, int kRows, class Column, class Value>
GLIA_INLINE void tile_moments(const Output& output, const Share& share, int warp_row,
                              std::uint32_t live, const Column& column, const Value& value) {
  if (output.moments.parts == nullptr) return;
  constexpr int kDown = Tile::kRows / kWarpRows;
  auto& smem = gpu::shared<MomentsSmem<kDown, Tile::kColumns>>();
  // Nobody reads operands from that memory any more.
  __syncthreads();
  const int down = warp_row / kWarpRows, rows = rows_of_warp<kRows>(live);
#pragma unroll
  for (int q = 0; q < kRuns; ++q)
    put_moments<kRows>(
        smem, down, rows, live, [&](int c) { return column(q, c); },
        [&](int i, int c) { return value(q, i, c); });
  // Of the warps side by side the first says how many.
  if (threadIdx.x % 32 == 0 && column(0, 0) == 0) smem.rows[down] = rows;
  // All warps' parts are there.
  __syncthreads();
  merge_warps<Tile, kDown>(output, share, smem);
}

/// Room for the parts of `tiles` rows of tiles of the output.
ResultMoments reserve_moments(KernelContext& context, const Output& output, std::int64_t tiles);
/// Queues their merging.
void merge_moments(KernelContext& context, const ResultMoments& moments);

}  // namespace glia::GLIA_GPU
