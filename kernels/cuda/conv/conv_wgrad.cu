// The gradient of the weight by fused multiply-adds: wgrad_product of conv_products.h, with rows
// and columns exchanged, since tiles are taller than wide; results are written transposed.
//
// Work mapping, shared memory and barriers: gemm_tile.h and, for the windows, conv_operands.h.
#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/conv/gemm_launch.h"

namespace glia::GLIA_GPU {
namespace {

template <class Tile, int kVec>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kResident)
    conv2d_wgrad_tiled(Gather<float> x, ColumnMatrix<float> dy, Output dw, Schedule schedule) {
  using Smem = DepthSmem<GemmRing<Tile>, ScalarDepths, kStages>;
  Smem& smem = gpu::shared<Smem>();
  const Share share = share_of_block<Tile>(schedule);
  WindowsByDepth<ScalarDepths, Tile::kRows, Tile::kThreads, kVec, Smem> a(x, smem, share.row,
                                                                          share.first * kGemmSlice);
  MatrixByDepth<ScalarDepths, Tile::kColumns, Tile::kThreads, kVec> b(dy, share.column,
                                                                      share.first * kGemmSlice);
  float sum[kMicro][kMicro] = {};
  multiply<Tile>(smem.ring, a, b, share.slices, sum);
  store<Tile, false, true>(dw, share, sum);
}

}  // namespace

void conv_wgrad_tiled(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                      const ConstView& x, const View& dw, Write write) {
  const WgradProduct<float, float> p = wgrad_product<float, float>(g, dy, x, dw, write);
  const GemmShape transposed = {p.shape.columns, p.shape.rows, p.shape.depth};
  run_product(context, "conv2d_wgrad_tiled", transposed, p.pieces, p.dw,
              [&](auto tile, auto width, LaunchConfig config, const Output& target,
                  const Schedule& schedule) {
                using Tile = decltype(tile);
                config.smem_bytes = sizeof(DepthSmem<GemmRing<Tile>, ScalarDepths, kStages>);
                gpu::launch(conv2d_wgrad_tiled<Tile, decltype(width)::value>, config, p.x, p.dy,
                            target, schedule);
              });
}

}  // namespace glia::GLIA_GPU
