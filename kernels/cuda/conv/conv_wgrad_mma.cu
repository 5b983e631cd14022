// The gradient of the weight on tensor cores: wgrad_product of conv_products.h.
//
// Work mapping, shared memory and barriers: mma_tile.h and, for the windows, conv_operands.h.
#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/conv/mma_launch.h"

namespace glia::GLIA_GPU {
namespace {

template <class Tile, int kVec>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kResident)
    conv2d_wgrad_mma(ColumnMatrix dy, Gather x, Output dw, Schedule schedule) {
  using Smem = DepthSmem<MmaRing<Tile>, MmaDepths, Tile::kStages>;
  Smem& smem = gpu::shared<Smem>();
  const Share share = share_of_block<Tile>(schedule);
  const int depth = share.first * kMmaSlice;
  MatrixByDepth<MmaDepths, Tile::kRows, Tile::kThreads, kVec> a(dy, share.row, depth);
  WindowsByDepth<MmaDepths, Tile::kColumns, Tile::kThreads, kVec, Smem> b(x, smem, share.column,
                                                                          depth);
  MmaSums<Tile> sum;
  multiply(smem.ring, a, b, share.slices, sum);
  store<Tile, false, false>(dw, share, sum);
}

}  // namespace

void conv_wgrad_mma(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                    const ConstView& x, const View& dw, Write write) {
  const WgradProduct p = wgrad_product(g, dy, x, dw, write);
  run_mma_product(context, "conv2d_wgrad_mma", p.shape, p.fours, p.dw,
                  [&](auto tile, auto width, LaunchConfig config, const Output& target,
                      const Schedule& schedule) {
                    using Tile = decltype(tile);
                    config.smem_bytes = sizeof(DepthSmem<MmaRing<Tile>, MmaDepths, Tile::kStages>);
                    gpu::launch(conv2d_wgrad_mma<Tile, decltype(width)::value>, config, p.dy, p.x,
                                target, schedule);
                  });
}

}  // namespace glia::GLIA_GPU
