// The gradient of the weight on tensor cores: wgrad_product of conv_products.h.
//
// Work mapping, shared memory and barriers: mma_tile.h and, for the windows, conv_operands.h.
#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/conv/mma_launch.h"

namespace glia::GLIA_GPU {
namespace {

template <class Tile>
using WgradSmem = DepthSmem<MmaRing<Tile>, MmaDepths<typename Tile::Element>, Tile::kStages>;

template <class Tile, int kVec, class D, class T = typename Tile::Element>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kResident)
    conv2d_wgrad_mma(ColumnMatrix<D> dy, Gather<T> x, Output dw, Schedule schedule) {
  using Smem = WgradSmem<Tile>;
  Smem& smem = gpu::shared<Smem>();
  const Share share = share_of_block<Tile>(schedule);
  const int depth = share.first * Tile::kDepth;
  MatrixByDepth<MmaDepths<T>, Tile::kRows, Tile::kThreads, kVec, D> a(dy, share.row, depth);
  WindowsByDepth<MmaDepths<T>, Tile::kColumns, Tile::kThreads, kVec, Smem> b(x, smem, share.column,
                                                                             depth);
  MmaSums<Tile> sum;
  multiply(smem.ring, a, b, share.slices, sum);
  store<Tile, false, false>(dw, share, sum);
}

}  // namespace

void conv_wgrad_mma(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                    const ConstView& x, const View& dw, Write write) {
  with_types(x.dtype, dy.dtype, [&](auto type, auto dy_type) {
    using T = decltype(type);
    using D = decltype(dy_type);
    const char* name = std::is_same_v<T, Bf16> ? "conv2d_wgrad_mma_bf16" : "conv2d_wgrad_mma";
    const WgradProduct<T, D> p = wgrad_product<T, D>(g, dy, x, dw, write);
    run_mma_product<T, D>(context, name, p.shape, p.pieces, p.dw,
                          [&](auto tile, auto width, LaunchConfig config, const Output& target,
                              const Schedule& schedule) {
                            using Tile = decltype(tile);
                            config.smem_bytes = sizeof(WgradSmem<Tile>);
                            gpu::launch(conv2d_wgrad_mma<Tile, decltype(width)::value, D>, config,
                                        p.dy, p.x, target, schedule);
                          });
  });
}

}  // namespace glia::GLIA_GPU
