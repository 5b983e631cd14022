// The gradient of a weight of 3x3 by patches of both operands: wgrad_product of conv_products.h, in
// bf16.
//
// Work mapping, shared memory and barriers: conv_wgrad_halo.h.
#include "kernels/cuda/conv/conv_wgrad_halo.h"

#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/conv/mma_launch.h"

namespace glia::GLIA_GPU {
namespace {

/// x is read through x_map if kMapped.
template <class Tile, int kVec, class D, bool kMapped>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kResident)
    conv2d_wgrad_halo_mma(Gather<D> dy, Gather<Bf16> x, Strided<const float> x_map, Radix patches,
                          Output dw, Schedule schedule) {
  auto& smem = gpu::shared<WgradHaloSmem<Tile>>();
  const Share share = share_of_block<Tile>(schedule);
  WgradPatchCopies<Tile, kVec, D, kMapped> copies(dy, x, patches, share, x_map);
  MmaSums<Tile> sum;
  multiply_wgrad_halo(smem, copies, share.slices, sum);
  store_taps<Tile>(dw, share, x.channels, sum);
}

/// The positions' own pixels of dy.
template <class D>
Gather<D> pixels_of(const ColumnMatrix<D>& dy, const Gather<Bf16>& x) {
  return {.data = dy.data,
          .pitch = dy.pitch,
          .images = x.images,
          .height = x.grid_rows,
          .width = x.grid_columns,
          .channels = dy.columns,
          .grid_rows = x.grid_rows,
          .grid_columns = x.grid_columns,
          .step_h = 1,
          .step_w = 1,
          .offset_h = 0,
          .offset_w = 0,
          .taps_h = 1,
          .taps_w = 1};
}

}  // namespace

void conv_wgrad_halo(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                     const ReadInput& x, const View& dw, Write write) {
  const GemmShape shape = halo_shape(g, ConvPass::wgrad);
  const GemmChoice choice = choose_halo(context, ConvPass::wgrad, shape, true);
  with_types(x.values.dtype, dy.dtype, [&](auto, auto dy_type) {
    using D = decltype(dy_type);
    using Tile = MmaBlock<kHaloWgradTile, Bf16>;
    const WgradProduct<Bf16, D> p = wgrad_product<Bf16, D>(g, dy, x.values, dw, write);
    const Cut cut = {Tile::kRows, Tile::kColumns, kWgradPatchRows * kHaloColumns, choice.splits};
    run_cut(context, "conv2d_wgrad_halo", shape, cut, p.dw,
            [&](LaunchConfig config, const Output& target, const Schedule& schedule) {
              config.block = Tile::kThreads;
              static_assert(sizeof(WgradHaloSmem<Tile>) == wgrad_halo_bytes());
              config.smem_bytes = sizeof(WgradHaloSmem<Tile>);
              const auto launch = [&](auto* kernel) {
                gpu::launch(kernel, config, pixels_of(p.dy, p.x), p.x, strided<float>(x.map),
                            patches_of(p.x, kWgradPatchRows), target, schedule);
              };
              const bool pieces = p.pieces && (!x.map || in_pieces(x.map));
              const auto with = [&](auto width) {
                constexpr int kVec = decltype(width)::value;
                launch(x.map ? conv2d_wgrad_halo_mma<Tile, kVec, D, true>
                             : conv2d_wgrad_halo_mma<Tile, kVec, D, false>);
              };
              if constexpr (std::is_same_v<D, Bf16>)
                if (pieces) return with(std::integral_constant<int, kPieceOf<Bf16>>());
              with(std::integral_constant<int, 1>());
            });
  });
}

}  // namespace glia::GLIA_GPU
