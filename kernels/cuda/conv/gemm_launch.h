// The host side of tiled products: choosing tile and splits, queueing the kernel and the second
// pass.
#pragma once

#include <algorithm>
#include <type_traits>

#include "kernels/cuda/conv/gemm_output.h"

namespace glia::GLIA_GPU {

/// The kernels count pixels, and elements of a weight, in 32 bits.
constexpr std::int64_t kMaxCount = std::int64_t{1} << 30;

inline int narrow(std::int64_t count) {
  gpu::require(-kMaxCount <= count && count <= kMaxCount, "convolution",
               "images of more than 2^30 pixels, or weights of more elements, do not fit");
  return static_cast<int>(count);
}

/// Blocks for a loop over `count` elements in steps of the grid: few enough to stay resident.
inline unsigned blocks_for(const KernelContext& context, std::int64_t count, int threads) {
  const std::int64_t wanted = (count + threads - 1) / threads;
  const std::int64_t resident = std::int64_t{std::max(1, context.multiprocessors)} * 16;
  return static_cast<unsigned>(std::clamp<std::int64_t>(wanted, 1, resident));
}

/// Calls launch(BlockTile<tile>, integral_constant<int, kVec>).
template <class Launch>
void with_tile(int tile, bool fours, const Launch& launch) {
  const auto with_width = [&](auto block_tile) {
    if (fours)
      launch(block_tile, std::integral_constant<int, 4>());
    else
      launch(block_tile, std::integral_constant<int, 1>());
  };
  static_assert(kGemmTileCount == 3);
  switch (tile) {
    case 0: return with_width(BlockTile<0>());
    case 1: return with_width(BlockTile<1>());
    default: return with_width(BlockTile<2>());
  }
}

/// Queues a product of `shape` that ends in `output`, with operands read four floats at a time if
/// `fours`. `launch(tile, width, config, target, schedule)` launches the kernel; config lacks
/// smem_bytes.
template <class Launch>
void run_product(KernelContext& context, const char* name, const GemmShape& shape, bool fours,
                 const Output& output, const Launch& launch) {
  const GemmChoice choice = choose_gemm(shape, context.multiprocessors);
  const GemmTile& tile = kGemmTiles[choice.tile];
  const std::int64_t column_tiles = (shape.columns + tile.columns - 1) / tile.columns;
  const std::int64_t tiles = (shape.rows + tile.rows - 1) / tile.rows * column_tiles;
  gpu::require(tiles <= 2147483647, name, "needs more than 2^31 - 1 blocks");

  Output target = output;
  const std::int64_t count = std::int64_t{output.rows} * output.columns;
  if (choice.splits > 1)
    target = Output{.data = context.workspace.array<float>(choice.splits * count),
                    .pitch = output.columns,
                    .split_step = count,
                    .rows = output.rows,
                    .columns = output.columns,
                    .channels = output.columns,
                    .fours = output.columns % 4 == 0};
  const Schedule schedule = {narrow(column_tiles),
                             narrow((shape.depth + kGemmSlice - 1) / kGemmSlice), choice.splits};
  with_tile(choice.tile, fours, [&](auto block_tile, auto width) {
    const LaunchConfig config = {
        .grid = dim3(static_cast<unsigned>(tiles), static_cast<unsigned>(choice.splits)),
        .block = decltype(block_tile)::kThreads,
        .stream = static_cast<cudaStream_t>(context.stream),
        .name = name};
    launch(block_tile, width, config, target, schedule);
  });
  if (choice.splits > 1) merge_splits(context, target.data, choice.splits, output);
}

}  // namespace glia::GLIA_GPU
