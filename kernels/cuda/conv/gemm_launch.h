// The host side of products: queueing the kernel and the second pass.
#pragma once

#include <algorithm>
#include <type_traits>

#include "engine/base/divide.h"
#include "kernels/cuda/conv/conv_products.h"
#include "kernels/cuda/conv/gemm_moments.h"
#include "kernels/cuda/conv/gemm_store.h"

namespace glia::GLIA_GPU {

/// Blocks for a loop over `count` elements in steps of the grid: few enough to stay resident.
inline unsigned blocks_for(const KernelContext& context, std::int64_t count, int threads) {
  const std::int64_t wanted = (count + threads - 1) / threads;
  const std::int64_t resident = std::int64_t{std::max(1, context.multiprocessors)} * 16;
  return static_cast<unsigned>(std::clamp<std::int64_t>(wanted, 1, resident));
}

/// How a product is cut: into tiles of rows x columns, slices so deep, and splits of the sums.
struct Cut {
  int rows, columns, slice, splits;
};

/// Queues a product of `shape` that ends in `output`. `launch(config, target, schedule)` launches
/// the kernel; config lacks its threads and shared memory. Returns whether the kernel itself takes
/// the moments that the output asks for: of split sums it cannot.
template <class Launch>
bool run_cut(KernelContext& context, const char* name, const GemmShape& shape, const Cut& cut,
             const Output& output, const Launch& launch) {
  const std::int64_t column_tiles = ceil_div(shape.columns, cut.columns);
  const std::int64_t row_tiles = ceil_div(shape.rows, cut.rows), tiles = row_tiles * column_tiles;
  gpu::require(tiles <= 2147483647, name, "needs more than 2^31 - 1 blocks");
  gpu::require(row_tiles * cut.rows <= 2147483647, name, "has more than 2^31 - 1 positions");

  Output target = output;
  const std::int64_t count = std::int64_t{output.rows} * output.columns;
  float* partials = nullptr;
  if (cut.splits > 1) {
    partials = context.workspace.array<float>(cut.splits * count);
    target = Output{.data = partials,
                    .pitch = output.columns,
                    .split_step = count,
                    .rows = output.rows,
                    .columns = output.columns,
                    .channels = output.columns,
                    .pieces = output.columns % 4 == 0};
  } else if (output.moments.total) {
    target.moments = reserve_moments(context, output, row_tiles);
  }
  const Schedule schedule = {narrow(column_tiles), narrow(ceil_div(shape.depth, cut.slice)),
                             cut.splits};
  launch(LaunchConfig{.grid = dim3(static_cast<unsigned>(tiles), static_cast<unsigned>(cut.splits)),
                      .block = {},
                      .stream = static_cast<cudaStream_t>(context.stream),
                      .name = name},
         target, schedule);
  if (cut.splits > 1) merge_splits(context, partials, cut.splits, output);
  if (target.moments.parts) merge_moments(context, target.moments);
  return target.moments.parts != nullptr;
}

/// Calls launch(BlockTile<tile>, integral_constant<int, kVec>).
template <class Launch>
void with_tile(int tile, bool pieces, const Launch& launch) {
  const auto with_width = [&](auto block_tile) {
    if (pieces)
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

/// By gemm_tile.h, with operands read 16 bytes at a time if `pieces`. `launch(tile, width,
/// config, target, schedule)` launches the kernel; config lacks smem_bytes.
template <class Launch>
bool run_product(KernelContext& context, const char* name, const GemmShape& shape, bool pieces,
                 const Output& output, const Launch& launch) {
  const GemmChoice choice = choose_gemm(context, shape);
  const GemmTile& tile = kGemmTiles[choice.tile];
  return run_cut(context, name, shape, {tile.rows, tile.columns, kGemmSlice, choice.splits}, output,
                 [&](LaunchConfig config, const Output& target, const Schedule& schedule) {
                   with_tile(choice.tile, pieces, [&](auto block_tile, auto width) {
                     config.block = decltype(block_tile)::kThreads;
                     launch(block_tile, width, config, target, schedule);
                   });
                 });
}

}  // namespace glia::GLIA_GPU
