// The forward pass by fused multiply-adds: forward_product of conv_products.h.
//
// Work mapping, shared memory and barriers: gemm_tile.h and, for the window starts,
// conv_operands.h.
#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/conv/gemm_launch.h"

namespace glia::GLIA_GPU {
namespace {

template <class Tile, int kVec>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kResident)
    conv2d_forward_tiled(Gather<float> x, RowMatrix<float> w, Output y, Schedule schedule) {
  auto& smem = gpu::shared<GatherSmem<Tile, GemmRing<Tile>>>();
  const Share share = share_of_block<Tile>(schedule);
  WindowsByRow<ScalarRowsA, Tile, kVec> a(x, smem.starts, share.row, share.first * kGemmSlice);
  MatrixByRow<ScalarRowsB, Tile::kColumns, Tile::kThreads, kVec> b(w, share.column,
                                                                   share.first * kGemmSlice);
  float sum[kMicro][kMicro] = {};
  multiply<Tile>(smem.ring, a, b, share.slices, sum);
  store<Tile, true>(y, share, sum);
  store_moments<Tile>(y, share, sum);
}

}  // namespace

bool conv_forward_tiled(KernelContext& context, const ConvGeometry& g, const ConstView& x,
                        const ConstView& w, const Epilogue& end, const View& y, Write write) {
  const ForwardProduct<float> p = forward_product<float>(g, x, w, end, y, write);
  return run_product(context, "conv2d_forward_tiled", p.shape, p.pieces, p.y,
                     [&](auto tile, auto width, LaunchConfig config, const Output& target,
                         const Schedule& schedule) {
                       using Tile = decltype(tile);
                       config.smem_bytes = sizeof(GatherSmem<Tile, GemmRing<Tile>>);
                       gpu::launch(conv2d_forward_tiled<Tile, decltype(width)::value>, config, p.x,
                                   p.w, target, schedule);
                     });
}

}  // namespace glia::GLIA_GPU
