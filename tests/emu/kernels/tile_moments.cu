// The moments of a tile by kernels/cuda/conv/gemm_moments.h, where results of a product lie ready
// in memory. Planted bugs are those of who leaves out a part of `tile_moments`.
#include "kernels/cuda/conv/gemm_store.h"
#include "tests/emu/kernels/examples.h"

namespace glia::emu_test {
namespace {

using namespace gpu;
using Tile = BlockTile<0>;
using Steps = Place<Tile, true>;
constexpr int kDown = Tile::kRows / Steps::kWarpRows;
using Moments = MomentsSmem<kDown, Tile::kColumns>;

/// Operands as a product leaves them: other threads may still read them.
union Smem {
  float operands[Tile::kThreads];
  Moments moments;
};

__global__ void __launch_bounds__(Tile::kThreads)
    tile_moments_of(const float* x, Output y, float* last_operand, Bug bug) {
  Smem& smem = gpu::shared<Smem>();
  const Share share{static_cast<int>(blockIdx.x) * Tile::kRows, 0, 0, 1, 0};
  const Steps place;
  float sum[kMicro][kMicro] = {};
  std::uint32_t live = 0;
  for (int i = 0; i < kMicro; ++i) {
    const int m = share.row + place.row + Steps::row_step(i);
    const bool inside = m < y.rows;
    if (inside || bug == Bug::moments_rows_not_bounded) live |= 1u << i;
    for (int c = 0; c < kMicro; ++c) {
      const int column = place.column + Steps::column_step(c);
      if (inside && column < y.columns) sum[i][c] = x[m * y.columns + column];
      if (bug == Bug::moments_rounded) sum[i][c] = to_float(glia::to_bf16(sum[i][c]));
    }
  }
  smem.operands[threadIdx.x] = sum[0][0];
  // The operands are there before anybody reads another thread's.
  __syncthreads();
  const float operand = smem.operands[Tile::kThreads - 1 - threadIdx.x];
  if (threadIdx.x == 0) last_operand[blockIdx.x] = operand;
  if (bug != Bug::moments_over_operands) __syncthreads();  // they are no longer read

  const int down = place.row / Steps::kWarpRows, rows = rows_of_warp<kMicro>(live);
  put_moments<kMicro>(
      smem.moments, down, rows, live, [&](int c) { return place.column + Steps::column_step(c); },
      [&](int i, int c) { return sum[i][c]; });
  if (threadIdx.x % 32 == 0 && (place.column == 0 || bug == Bug::moments_rows_by_all))
    smem.moments.rows[down] = rows;
  if (bug != Bug::moments_merged_early) __syncthreads();  // all warps' parts are there
  merge_warps<Tile, kDown>(y, share, smem.moments);
}

}  // namespace

void tile_moments(const float* x, float* parts, float* scratch, int rows, int columns, Bug bug) {
  const int tiles = (rows + Tile::kRows - 1) / Tile::kRows;
  const Output output{.moments = {.parts = parts, .channels = columns, .tiles = tiles},
                      .rows = rows,
                      .columns = columns,
                      .channels = columns};
  gpu::launch(tile_moments_of,
              {.grid = static_cast<unsigned>(tiles),
               .block = Tile::kThreads,
               .smem_bytes = sizeof(Smem),
               .name = "tile_moments_of"},
              x, output, scratch, bug);
}

}  // namespace glia::emu_test
