// c = a * b by the products of kernels/cuda/conv/mma_tile.h, on operands that are plain matrices:
// by row and by depth, as the convolutions have them. Planted bugs are put in from outside, by
// other slices, other fragments, another wait, another store, or sums that are rounded in between.
#include "kernels/cuda/conv/gemm_operands.h"
#include "kernels/cuda/conv/mma_store.h"
#include "tests/emu/kernels/examples.h"

namespace glia::emu_test {
namespace untransposed {

/// A tile whose b by depth is read without .trans.
struct Tile : gpu::MmaBlock<kMmaTileCount - 1, Bf16> {};

}  // namespace untransposed
}  // namespace glia::emu_test

namespace glia::GLIA_GPU {

template <>
struct MmaFragmentsB<emu_test::untransposed::Tile, false, Bf16>
    : MmaFragmentsB<MmaBlock<kMmaTileCount - 1, Bf16>, false, Bf16> {
  using Tile = emu_test::untransposed::Tile;
  GLIA_INLINE void load(std::uint32_t (&b)[Tile::kFragmentColumns][2], const Bf16* slice,
                        int step) const {
#pragma unroll
    for (int j = 0; j < Tile::kFragmentColumns; j += 2) {
      std::uint32_t two[4];
      ptx::ldmatrix<4>(two, slice + offsets[j / 2] + step * kMmaStep<Bf16> * Tile::kColumns);
#pragma unroll
      for (int e = 0; e < 4; ++e) b[j + e / 2][e % 2] = two[e];
    }
  }
};

}  // namespace glia::GLIA_GPU

namespace glia::emu_test {
namespace {

using namespace gpu;

/// Pieces as they come: not where mma_fragments.h reads them.
template <class Slices>
struct Unpermuted : Slices {
  static constexpr int kPeriod = 1;
  template <class... Pieces>
  GLIA_INLINE static int piece(int, int i, Pieces...) {
    return i;
  }
};

template <class Tile, class A, class B, bool kWeakWait, bool kWrongOwner, class MatrixA,
          class MatrixB>
GLIA_INLINE void product(const MatrixA& a, const MatrixB& b, const Output& c,
                         const Schedule& schedule) {
  auto& smem = gpu::shared<MmaRing<Tile>>();
  const Share share = share_of_block<Tile>(schedule);
  const int depth = share.first * Tile::kDepth;
  A slices_a(a, share.row, depth);
  B slices_b(b, share.column, depth);
  MmaSums<Tile> sum;
  multiply<kWeakWait ? Tile::kStages - 1 : Tile::kStages - 2>(smem, slices_a, slices_b,
                                                              share.slices, sum);
  store<Tile, A::kByRow != kWrongOwner, B::kByRow != kWrongOwner>(c, share, sum);
}

/// kVec: elements that are copied at once.
template <class Tile, class SlicesA, bool kWeakWait, bool kWrongOwner, int kVec,
          class T = typename Tile::Element>
__global__ void __launch_bounds__(Tile::kThreads)
    mma_rows_rows(RowMatrix<T> a, RowMatrix<T> b, Output c, Schedule schedule) {
  product<Tile, MatrixByRow<SlicesA, Tile::kRows, Tile::kThreads, kVec>,
          MatrixByRow<MmaRowsB<T>, Tile::kColumns, Tile::kThreads, kVec>, kWeakWait, kWrongOwner>(
      a, b, c, schedule);
}

template <class Tile, class SlicesB, class T = typename Tile::Element>
__global__ void __launch_bounds__(Tile::kThreads)
    mma_rows_depths(RowMatrix<T> a, ColumnMatrix<T> b, Output c, Schedule schedule) {
  product<Tile, MatrixByRow<MmaRowsA<T>, Tile::kRows, Tile::kThreads, kPieceOf<T>>,
          MatrixByDepth<SlicesB, Tile::kColumns, Tile::kThreads, kPieceOf<T>>, false, false>(
      a, b, c, schedule);
}

template <class Tile, int kVec, class T = typename Tile::Element>
__global__ void __launch_bounds__(Tile::kThreads)
    mma_depths_depths(ColumnMatrix<T> a, ColumnMatrix<T> b, Output c, Schedule schedule) {
  product<Tile, MatrixByDepth<MmaDepths<T>, Tile::kRows, Tile::kThreads, kVec>,
          MatrixByDepth<MmaDepths<T>, Tile::kColumns, Tile::kThreads, kVec>, false, false>(
      a, b, c, schedule);
}

/// c (+)= a product of `depth` of the depths of a and b, by row of them K; c is of type T.
template <class T>
void queue(const T* a, const T* b, T* c, const MmaShape& shape, int depth, bool accumulate,
           Bug bug) {
  using Tile = MmaBlock<kMmaTileCount - 1, T>;
  constexpr int kPiece = kPieceOf<T>;
  const int M = shape.m, N = shape.n, K = shape.k;
  const RowMatrix<T> rows_a = {a, K, bug == Bug::mma_rows_not_bounded ? M + Tile::kRows : M, depth};
  const RowMatrix<T> rows_b = {b, K, N, depth};
  // One slice too far: beyond the matrix.
  const int last = bug == Bug::mma_depth_not_bounded ? depth + Tile::kDepth : depth;
  const ColumnMatrix<T> depths_a = {a, M, depth, M};
  const ColumnMatrix<T> depths_b = {b, N, last, N};
  const Output output = {.data = c,
                         .pitch = N,
                         .rows = M,
                         .columns = N,
                         .channels = N,
                         .bf16 = std::is_same_v<T, Bf16>,
                         .accumulate = accumulate,
                         .pieces = true};
  const int column_tiles = (N + Tile::kColumns - 1) / Tile::kColumns;
  const int tiles = (M + Tile::kRows - 1) / Tile::kRows * column_tiles;
  const Schedule schedule = {column_tiles, (last + Tile::kDepth - 1) / Tile::kDepth, 1};
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
    using Rows = MmaRowsA<T>;
    if (bug == Bug::mma_weak_wait) return rows_rows(mma_rows_rows<Tile, Rows, true, false, kPiece>);
    if (bug == Bug::mma_unpermuted_rows)
      return rows_rows(mma_rows_rows<Tile, Unpermuted<Rows>, false, false, kPiece>);
    if (bug == Bug::mma_wrong_owner)
      return rows_rows(mma_rows_rows<Tile, Rows, false, true, kPiece>);
    if (shape.by_element) return rows_rows(mma_rows_rows<Tile, Rows, false, false, 1>);
    return rows_rows(mma_rows_rows<Tile, Rows, false, false, kPiece>);
  }
  if (shape.layout == MmaLayout::rows_depths) {
    if (bug == Bug::mma_unpermuted_depths)
      return rows_depths(mma_rows_depths<Tile, Unpermuted<MmaDepths<T>>>);
    if constexpr (std::is_same_v<T, Bf16>)
      if (bug == Bug::mma_not_transposed)
        return rows_depths(mma_rows_depths<untransposed::Tile, MmaDepths<T>>);
    return rows_depths(mma_rows_depths<Tile, MmaDepths<T>>);
  }
  if (shape.by_element)
    gpu::launch(mma_depths_depths<Tile, 1>, config, depths_a, depths_b, output, schedule);
  else
    gpu::launch(mma_depths_depths<Tile, kPiece>, config, depths_a, depths_b, output, schedule);
}

}  // namespace

void mma_product(const float* a, const float* b, float* c, const MmaShape& shape, Bug bug) {
  queue(a, b, c, shape, shape.k, false, bug);
}

void mma_product_bf16(const std::uint16_t* a, const std::uint16_t* b, std::uint16_t* c,
                      const MmaShape& shape, Bug bug) {
  static_assert(sizeof(Bf16) == sizeof(std::uint16_t));
  const auto* factor = reinterpret_cast<const Bf16*>(a);
  const auto* other = reinterpret_cast<const Bf16*>(b);
  auto* result = reinterpret_cast<Bf16*>(c);
  if (bug == Bug::mma_rounded_partials) {
    const int half = shape.k / 16 * 8;
    queue(factor, other, result, shape, half, false, bug);
    return queue(factor + half, other + half, result, shape, shape.k - half, true, bug);
  }
  queue(factor, other, result, shape, shape.k, false, bug);
}

}  // namespace glia::emu_test
