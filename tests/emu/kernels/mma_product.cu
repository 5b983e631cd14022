// c = a * b by the products of kernels/cuda/conv/mma_tile.h, on operands that are plain matrices:
// by row and by depth, as the convolutions have them. Planted bugs are put in from outside, by
// other slices, another wait, another store.
#include "kernels/cuda/conv/gemm_operands.h"
#include "kernels/cuda/conv/mma_store.h"
#include "tests/emu/kernels/examples.h"

namespace glia::emu_test {
namespace {

using namespace gpu;

/// Pieces as they come: not where mma_tile.h reads them.
template <class Slices>
struct Unpermuted : Slices {
  static constexpr int kPeriod = 1;
  GLIA_INLINE static int piece(int, int i) { return i; }
};

template <class Tile, class A, class B, bool kWeakWait, bool kStoreAByRow, class MatrixA,
          class MatrixB>
GLIA_INLINE void product(const MatrixA& a, const MatrixB& b, const Output& c,
                         const Schedule& schedule) {
  auto& smem = gpu::shared<MmaRing<Tile>>();
  const Share share = share_of_block<Tile>(schedule);
  const int depth = share.first * kMmaSlice;
  A slices_a(a, share.row, depth);
  B slices_b(b, share.column, depth);
  MmaSums<Tile> sum;
  multiply<kWeakWait ? Tile::kStages - 1 : Tile::kStages - 2>(smem, slices_a, slices_b,
                                                              share.slices, sum);
  store<Tile, kStoreAByRow, B::kByRow>(c, share, sum);
}

template <class Tile, class SlicesA, bool kWeakWait, bool kStoreAByRow>
__global__ void __launch_bounds__(Tile::kThreads)
    mma_rows_rows(RowMatrix a, RowMatrix b, Output c, Schedule schedule) {
  product<Tile, MatrixByRow<SlicesA, Tile::kRows, Tile::kThreads, 4>,
          MatrixByRow<MmaRowsB, Tile::kColumns, Tile::kThreads, 4>, kWeakWait, kStoreAByRow>(
      a, b, c, schedule);
}

template <class Tile, class SlicesB>
__global__ void __launch_bounds__(Tile::kThreads)
    mma_rows_depths(RowMatrix a, ColumnMatrix b, Output c, Schedule schedule) {
  product<Tile, MatrixByRow<MmaRowsA, Tile::kRows, Tile::kThreads, 4>,
          MatrixByDepth<SlicesB, Tile::kColumns, Tile::kThreads, 4>, false, true>(a, b, c,
                                                                                  schedule);
}

template <class Tile>
__global__ void __launch_bounds__(Tile::kThreads)
    mma_depths_depths(ColumnMatrix a, ColumnMatrix b, Output c, Schedule schedule) {
  product<Tile, MatrixByDepth<MmaDepths, Tile::kRows, Tile::kThreads, 4>,
          MatrixByDepth<MmaDepths, Tile::kColumns, Tile::kThreads, 4>, false, false>(a, b, c,
                                                                                     schedule);
}

}  // namespace

void mma_product(const float* a, const float* b, float* c, const MmaShape& shape, Bug bug) {
  using Tile = MmaBlock<kMmaTileCount - 1>;
  const int M = shape.m, N = shape.n, K = shape.k;
  const RowMatrix rows_a = {a, K, bug == Bug::mma_rows_not_bounded ? M + Tile::kRows : M, K};
  const RowMatrix rows_b = {b, K, N, K};
  // One slice too far: beyond the matrix.
  const int depth = bug == Bug::mma_depth_not_bounded ? K + kMmaSlice : K;
  const ColumnMatrix depths_a = {
      .data = a, .radix = {K, 1}, .depth = K, .strides = {.low = M}, .columns = M};
  const ColumnMatrix depths_b = {
      .data = b, .radix = {depth, 1}, .depth = depth, .strides = {.low = N}, .columns = N};
  const Output output = {
      .data = c, .pitch = N, .rows = M, .columns = N, .channels = N, .fours = true};
  const int column_tiles = (N + Tile::kColumns - 1) / Tile::kColumns;
  const int tiles = (M + Tile::kRows - 1) / Tile::kRows * column_tiles;
  const Schedule schedule = {column_tiles, (depth + kMmaSlice - 1) / kMmaSlice, 1};
  const LaunchConfig config = {.grid = static_cast<unsigned>(tiles),
                               .block = Tile::kThreads,
                               .smem_bytes = sizeof(MmaRing<Tile>),
                               .name = "mma_product"};
  const auto rows_rows = [&](auto* kernel) {
    gpu::launch(kernel, config, rows_a, rows_b, output, schedule);
  };
  const auto rows_depths = [&](auto* kernel) {
    gpu::launch(kernel, config, rows_a, depths_b, output, schedule);
  };
  if (shape.layout == MmaLayout::rows_rows) {
    if (bug == Bug::mma_weak_wait) return rows_rows(mma_rows_rows<Tile, MmaRowsA, true, true>);
    if (bug == Bug::mma_unpermuted_rows)
      return rows_rows(mma_rows_rows<Tile, Unpermuted<MmaRowsA>, false, true>);
    if (bug == Bug::mma_wrong_owner) return rows_rows(mma_rows_rows<Tile, MmaRowsA, false, false>);
    return rows_rows(mma_rows_rows<Tile, MmaRowsA, false, true>);
  }
  if (shape.layout == MmaLayout::rows_depths) {
    if (bug == Bug::mma_unpermuted_depths)
      return rows_depths(mma_rows_depths<Tile, Unpermuted<MmaDepths>>);
    return rows_depths(mma_rows_depths<Tile, MmaDepths>);
  }
  gpu::launch(mma_depths_depths<Tile>, config, depths_a, depths_b, output, schedule);
}

}  // namespace glia::emu_test
