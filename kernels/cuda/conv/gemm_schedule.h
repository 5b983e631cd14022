// How the blocks of a launch divide a product [rows, depth] x [depth, columns] among themselves.
#pragma once

#include <cstdint>

#include "kernels/cuda/conv/gemm_digits.h"

namespace glia::GLIA_GPU {

/// How the blocks of a launch divide the product.
struct Schedule {
  int column_tiles, slices, splits;
};

/// What one of them computes: the tile at (row, column), of the slices first, first + 1, …
struct Share {
  int row, column, first, slices, split;
};

template <class Tile>
GLIA_INLINE Share share_of_block(const Schedule& schedule) {
  // Neighbouring blocks share rows of a, which is the larger operand.
  const int row_tile = blockIdx.x / schedule.column_tiles;
  const int column_tile = blockIdx.x % schedule.column_tiles;
  const int split = blockIdx.y;
  const auto start = [&](int s) {
    return static_cast<int>(static_cast<std::int64_t>(schedule.slices) * s / schedule.splits);
  };
  const int first = start(split);
  return {row_tile * Tile::kRows, column_tile * Tile::kColumns, first, start(split + 1) - first,
          split};
}

}  // namespace glia::GLIA_GPU
