// The end of mma_tile.h's products: from registers to the output.
#pragma once

#include "kernels/cuda/conv/gemm_moments.h"
#include "kernels/cuda/conv/mma_tile.h"

namespace glia::GLIA_GPU {

/// Writes a thread's part of the tile: of every 32 columns eight neighbours, or four pairs. kBByRow
/// is how b lay, which says whose results a thread holds (mma_fragments.h). row_of(i, at) is where
/// the i-th of its rows starts, or less than 0 where it is none of the output; it may walk with
/// `at`, which begins with `first`.
template <class Tile, bool kBByRow, class RowOf>
GLIA_INLINE void store_rows(const Output& output, const Share& share, const MmaSums<Tile>& sum,
                            const Digits& first, const RowOf& row_of) {
  using Factor = typename Tile::Element;
  constexpr bool kBf16 = std::is_same_v<Factor, Bf16>;
  // A thread's columns are those of a run of eight, of four fragments, or one.
  constexpr bool kInOrder = kBf16 && !kBByRow, kPairs = kBByRow || kBf16;
  using Run = OutputRun<kInOrder ? 2 : 8, Factor>;
  const int t = threadIdx.x % 4;
#pragma unroll
  for (int q = 0; q < Tile::kFragmentColumns / 4; ++q) {
    const int column = share.column + Tile::warp_column() + 32 * q + (kInOrder ? 2 : 8) * t;
    const Run run(output, share.split,
                  [&](int c) { return column + (kInOrder ? c / 2 * 8 + c % 2 : c); });
    Digits at = first;
#pragma unroll
    for (int i = 0; i < 2 * Tile::kFragmentRows; ++i) {
      const std::int64_t to = row_of(i, at);
      if (to < 0) continue;
      const int h = 2 * (i % 2);
      run.put(output, to, [&](int c) {
        const float(&part)[4] = sum.at[i / 2][4 * q + (kPairs ? c / 2 : c % 4)];
        return part[h + (kPairs ? c % 2 : c / 4)];
      });
    }
  }
}

/// A thread's c-th column, c < 8, of the run q of a forward pass, and its result in row i.
template <class Tile>
GLIA_INLINE float result_of(const MmaSums<Tile>& sum, int q, int i, int c) {
  return sum.at[i / 2][4 * q + c / 2][2 * (i % 2) + c % 2];
}

/// The moments of a forward pass's tile, where they are asked for; live(i): whether the thread's
/// i-th row is one of the output.
template <class Tile, class Live>
GLIA_INLINE void store_moments(const Output& output, const Share& share, const MmaSums<Tile>& sum,
                               const Live& live) {
  constexpr int kRows = 2 * Tile::kFragmentRows;
  std::uint32_t rows = 0;
#pragma unroll
  for (int i = 0; i < kRows; ++i) rows |= static_cast<std::uint32_t>(live(i)) << i;
  const int first = Tile::warp_column() + 8 * (static_cast<int>(threadIdx.x) % 4);
  tile_moments<Tile, Tile::kWarpRows, Tile::kFragmentColumns / 4, kRows>(
      output, share, Tile::warp_row(), rows, [&](int q, int c) { return first + 32 * q + c; },
      [&](int q, int i, int c) { return result_of(sum, q, i, c); });
}

/// The same where rows of the tile are rows of the output. kAByRow is how a lay.
template <class Tile, bool kAByRow, bool kBByRow>
GLIA_INLINE void store(const Output& output, const Share& share, const MmaSums<Tile>& sum) {
  // The halves of a fragment are eight rows apart, or neighbours.
  constexpr bool kApart = kAByRow || std::is_same_v<typename Tile::Element, Bf16>;
  const int g = threadIdx.x % 32 / 4;
  const int first_row = share.row + Tile::warp_row() + (kApart ? g : 2 * g);
  const Radix grid = output.grid();
  const Digits step = grid.digits(8);
  store_rows<Tile, kBByRow>(output, share, sum, grid.digits(first_row),
                            [&](int i, Digits& at) -> std::int64_t {
                              const int m = first_row + (kApart ? 8 * i : i / 2 * 16 + i % 2);
                              if (m >= output.rows) return -1;
                              const std::int64_t to = output.row(m, at);
                              if constexpr (kApart) grid.add(at, step);
                              return to;
                            });
  if constexpr (kAByRow && kBByRow)
    store_moments(output, share, sum, [&](int i) { return first_row + 8 * i < output.rows; });
}

}  // namespace glia::GLIA_GPU
