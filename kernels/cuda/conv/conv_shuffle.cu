// dgrad as one product with a pixel shuffle, by fused multiply-adds: shuffled_product of
// conv_products.h.
//
// Work mapping, shared memory and barriers: gemm_tile.h.
#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/conv/gemm_launch.h"

namespace glia::GLIA_GPU {
namespace {

template <class Tile, int kVec>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kResident)
    conv2d_dgrad_shuffled(RowMatrix<float> dy, ColumnMatrix<float> w, Output dx,
                          Schedule schedule) {
  auto& smem = gpu::shared<GemmRing<Tile>>();
  const Share share = share_of_block<Tile>(schedule);
  MatrixByRow<ScalarRowsA, Tile::kRows, Tile::kThreads, kVec> a(dy, share.row,
                                                                share.first * kGemmSlice);
  MatrixByDepth<ScalarDepths, Tile::kColumns, Tile::kThreads, kVec> b(w, share.column,
                                                                      share.first * kGemmSlice);
  float sum[kMicro][kMicro] = {};
  multiply<Tile>(smem, a, b, share.slices, sum);
  store<Tile, true>(dx, share, sum);
}

}  // namespace

void conv_dgrad_shuffled(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                         const ConstView& w, const ConstView& b, const View& dx, Write write) {
  const ShuffledProduct<float, float> p = shuffled_product<float, float>(g, dy, w, b, dx, write);
  run_product(context, "conv2d_dgrad_shuffled", p.shape, p.pieces, p.dx,
              [&](auto tile, auto width, LaunchConfig config, const Output& target,
                  const Schedule& schedule) {
                using Tile = decltype(tile);
                config.smem_bytes = sizeof(GemmRing<Tile>);
                gpu::launch(conv2d_dgrad_shuffled<Tile, decltype(width)::value>, config, p.dy, p.w,
                            target, schedule);
              });
}

}  // namespace glia::GLIA_GPU
