// Convolutions 3x3 of stride 1 of at most eight channels: forward_product of conv_products.h, in
// bf16.
//
// Work mapping, shared memory and barriers: conv_shallow.h.
#include "kernels/cuda/conv/conv_shallow.h"

#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/conv/mma_launch.h"

namespace glia::GLIA_GPU {
namespace {

template <class Tile>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kResident)
    conv2d_forward_shallow_mma(Gather<Bf16> x, RowMatrix<Bf16> w, Radix patches, Output y,
                               Schedule schedule) {
  auto& smem = gpu::shared<ShallowSmem<Tile>>();
  const Share share = share_of_block<Tile>(schedule);
  const PatchPlace place(patches, kHaloRows, share.row / Tile::kRows);
  fill_shallow(smem, x, w, place, share.column);
  MmaSums<Tile> sum;
  multiply_shallow(smem, sum);
  store_patch<Tile, true>(y, share, place, x, sum);
}

}  // namespace

bool conv_forward_shallow(KernelContext& context, const ConvGeometry& g, const ConstView& x,
                          const ConstView& w, const Epilogue& end, const View& y, Write write) {
  using Tile = MmaBlock<kHaloTiles[1], Bf16>;
  const ForwardProduct<Bf16> p = forward_product<Bf16>(g, x, w, end, y, write);
  const Cut cut = {Tile::kRows, Tile::kColumns, kShallowChannels, 1};
  return run_cut(context, "conv2d_forward_shallow", halo_shape(g, ConvPass::forward), cut, p.y,
                 [&](LaunchConfig config, const Output& target, const Schedule& schedule) {
                   config.block = Tile::kThreads;
                   config.smem_bytes = sizeof(ShallowSmem<Tile>);
                   gpu::launch(conv2d_forward_shallow_mma<Tile>, config, p.x, p.w,
                               patches_of(p.x, kHaloRows), target, schedule);
                 });
}

}  // namespace glia::GLIA_GPU
