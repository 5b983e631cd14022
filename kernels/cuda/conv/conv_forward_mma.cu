// The forward pass on tensor cores: forward_product of conv_products.h.
//
// Work mapping, shared memory and barriers: mma_tile.h and, for the window starts,
// conv_operands.h.
#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/conv/mma_launch.h"

namespace glia::GLIA_GPU {
namespace {

template <class Tile, int kVec, class T = typename Tile::Element>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kResident)
    conv2d_forward_mma(Gather<T> x, RowMatrix<T> w, Output y, Schedule schedule) {
  auto& smem = gpu::shared<GatherSmem<Tile, MmaRing<Tile>>>();
  const Share share = share_of_block<Tile>(schedule);
  const int depth = share.first * Tile::kDepth;
  WindowsByRow<MmaRowsA<T>, Tile, kVec> a(x, smem.starts, share.row, depth);
  MatrixByRow<MmaRowsB<T>, Tile::kColumns, Tile::kThreads, kVec> b(w, share.column, depth);
  MmaSums<Tile> sum;
  multiply(smem.ring, a, b, share.slices, sum);
  store<Tile, true, true>(y, share, sum);
}

}  // namespace

bool conv_forward_mma(KernelContext& context, const ConvGeometry& g, const ConstView& x,
                      const ConstView& w, const Epilogue& end, const View& y, Write write) {
  const auto queue = [&](auto type) {
    using T = decltype(type);
    const char* name = std::is_same_v<T, Bf16> ? "conv2d_forward_mma_bf16" : "conv2d_forward_mma";
    const ForwardProduct<T> p = forward_product<T>(g, x, w, end, y, write);
    return run_mma_product<T, T>(context, name, p.shape, p.pieces, p.y,
                                 [&](auto tile, auto width, LaunchConfig config,
                                     const Output& target, const Schedule& schedule) {
                                   using Tile = decltype(tile);
                                   config.smem_bytes = sizeof(GatherSmem<Tile, MmaRing<Tile>>);
                                   gpu::launch(conv2d_forward_mma<Tile, decltype(width)::value>,
                                               config, p.x, p.w, target, schedule);
                                 });
  };
  return w.dtype == DType::bf16 ? queue(Bf16()) : queue(float());
}

}  // namespace glia::GLIA_GPU
