// dgrad as one product with a pixel shuffle, on tensor cores: shuffled_product of conv_products.h.
//
// Work mapping, shared memory and barriers: mma_tile.h.
#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/conv/mma_launch.h"

namespace glia::GLIA_GPU {
namespace {

template <class Tile, int kVec, class D, class T = typename Tile::Element>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kResident)
    conv2d_dgrad_shuffled_mma(RowMatrix<D> dy, ColumnMatrix<T> w, Output dx, Schedule schedule) {
  auto& smem = gpu::shared<MmaRing<Tile>>();
  const Share share = share_of_block<Tile>(schedule);
  const int depth = share.first * Tile::kDepth;
  MatrixByRow<MmaRowsA<T>, Tile::kRows, Tile::kThreads, kVec, D> a(dy, share.row, depth);
  MatrixByDepth<MmaDepths<T>, Tile::kColumns, Tile::kThreads, kVec> b(w, share.column, depth);
  MmaSums<Tile> sum;
  multiply(smem, a, b, share.slices, sum);
  store<Tile, true, false>(dx, share, sum);
}

}  // namespace

void conv_dgrad_shuffled_mma(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                             const ConstView& w, const ConstView& b, const View& dx, Write write) {
  with_types(w.dtype, dy.dtype, [&](auto type, auto dy_type) {
    using T = decltype(type);
    using D = decltype(dy_type);
    const char* name =
        std::is_same_v<T, Bf16> ? "conv2d_dgrad_shuffled_mma_bf16" : "conv2d_dgrad_shuffled_mma";
    const ShuffledProduct<T, D> p = shuffled_product<T, D>(g, dy, w, b, dx, write);
    run_mma_product<T, D>(context, name, p.shape, p.pieces, p.dx,
                          [&](auto tile, auto width, LaunchConfig config, const Output& target,
                              const Schedule& schedule) {
                            using Tile = decltype(tile);
                            config.smem_bytes = sizeof(MmaRing<Tile>);
                            gpu::launch(conv2d_dgrad_shuffled_mma<Tile, decltype(width)::value, D>,
                                        config, p.dy, p.w, target, schedule);
                          });
  });
}

}  // namespace glia::GLIA_GPU
