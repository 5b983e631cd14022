// The gradient of the input by fused multiply-adds: dgrad_products of conv_products.h.
//
// Work mapping, shared memory and barriers: gemm_tile.h and, for the window starts,
// conv_operands.h.
#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/conv/gemm_launch.h"

namespace glia::GLIA_GPU {
namespace {

template <class Tile, int kVec>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kResident)
    conv2d_dgrad_tiled(Gather<float> dy, TapMatrix<float> w, Output dx, Schedule schedule) {
  auto& smem = gpu::shared<GatherSmem<Tile, GemmRing<Tile>>>();
  const Share share = share_of_block<Tile>(schedule);
  WindowsByRow<ScalarRowsA, Tile, kVec> a(dy, smem.starts, share.row, share.first * kGemmSlice);
  TapsByDepth<ScalarDepths, Tile::kColumns, Tile::kThreads, kVec> b(w, share.column,
                                                                    share.first * kGemmSlice);
  float sum[kMicro][kMicro] = {};
  multiply<Tile>(smem.ring, a, b, share.slices, sum);
  store<Tile, true>(dx, share, sum);
}

}  // namespace

void conv_dgrad_tiled(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                      const ConstView& w, const ConstView& b, const View& dx, Write write) {
  for (const DgradProduct<float, float>& p : dgrad_products<float, float>(g, dy, w, b, dx, write))
    run_product(context, "conv2d_dgrad_tiled", p.shape, p.pieces, p.dx,
                [&](auto tile, auto width, LaunchConfig config, const Output& target,
                    const Schedule& schedule) {
                  using Tile = decltype(tile);
                  config.smem_bytes = sizeof(GatherSmem<Tile, GemmRing<Tile>>);
                  gpu::launch(conv2d_dgrad_tiled<Tile, decltype(width)::value>, config, p.dy, p.w,
                              target, schedule);
                });
}

}  // namespace glia::GLIA_GPU
