// Convolutions 3x3 of stride 1 by patches of their input: forward_product and dgrad_products of
// conv_products.h, in bf16 and tf32.
//
// Work mapping, shared memory and barriers: conv_halo.h.
#include "kernels/cuda/conv/conv_halo.h"

#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/conv/mma_launch.h"

namespace glia::GLIA_GPU {
namespace {

/// x is read through x_map if kMapped.
template <class Tile, int kVec, bool kMapped, class T = typename Tile::Element>
__global__ void __launch_bounds__(Tile::kThreads, 2)
    conv2d_forward_halo_mma(Gather<T> x, Strided<const float> x_map, RowMatrix<T> w, Radix patches,
                            Output y, Schedule schedule) {
  auto& smem = gpu::shared<HaloSmem<Tile>>();
  const Share share = share_of_block<Tile>(schedule);
  const PatchPlace place(patches, kHaloRows, share.row / Tile::kRows);
  const ChunkCopies<Tile, kVec, T> a(x, place);
  TapSlicesByRow<Tile, kVec> b(w, x.channels, share.column, share.first);
  MmaSums<Tile> sum;
  if constexpr (kMapped)
    multiply_halo(smem, MappedCopies<ChunkCopies<Tile, kVec, T>>{a, x_map}, b, share.first,
                  share.slices, sum);
  else
    multiply_halo(smem, a, b, share.first, share.slices, sum);
  store_patch<Tile, true>(y, share, place, x, sum);
}

template <class Tile, int kVec, class D, class T = typename Tile::Element>
__global__ void __launch_bounds__(Tile::kThreads, 2)
    conv2d_dgrad_halo_mma(Gather<D> dy, TapMatrix<T> w, Radix patches, Output dx,
                          Schedule schedule) {
  auto& smem = gpu::shared<HaloSmem<Tile>>();
  const Share share = share_of_block<Tile>(schedule);
  const PatchPlace place(patches, kHaloRows, share.row / Tile::kRows);
  const ChunkCopies<Tile, kVec, D> a(dy, place);
  TapSlicesByDepth<Tile, kVec> b(w, share.column, share.first);
  MmaSums<Tile> sum;
  multiply_halo(smem, a, b, share.first, share.slices, sum);
  store_patch<Tile, false>(dx, share, place, dy, sum);
}

/// As run_mma_product. D is the type of what the patches are of.
template <class T, class D, class Launch>
bool run_halo(KernelContext& context, const char* name, ConvPass pass, const GemmShape& shape,
              bool pieces, const Output& output, const Launch& launch) {
  const GemmChoice choice = choose_halo(context, pass, shape, pieces);
  const MmaTile& tile = kMmaTiles[choice.tile];
  return run_cut(context, name, shape, {tile.rows, tile.columns, kMmaSlice<T>, choice.splits},
                 output, [&](LaunchConfig config, const Output& target, const Schedule& schedule) {
                   const auto with = [&](auto block, auto width) {
                     config.block = decltype(block)::kThreads;
                     using Block = decltype(block);
                     static_assert(sizeof(HaloSmem<Block>) == halo_bytes(Block::kTile));
                     config.smem_bytes = sizeof(HaloSmem<Block>);
                     launch(block, width, config, target, schedule);
                   };
                   constexpr std::integral_constant<int, 1> kOne;
                   constexpr std::integral_constant<int, kPieceOf<T>> kPiece;
                   if (!pieces) return with(MmaBlock<kHaloTiles[1], T>(), kOne);
                   if constexpr (std::is_same_v<T, D>) {
                     if (choice.tile == kHaloTiles[0])
                       return with(MmaBlock<kHaloTiles[0], T>(), kPiece);
                     return with(MmaBlock<kHaloTiles[1], T>(), kPiece);
                   }
                 });
}

}  // namespace

bool conv_forward_halo(KernelContext& context, const ConvGeometry& g, const ReadInput& x,
                       const ConstView& w, const Epilogue& end, const View& y, Write write) {
  if (g.C <= kShallowChannels) return conv_forward_shallow(context, g, x.values, w, end, y, write);
  const auto queue = [&](auto type, auto mapped) {
    using T = decltype(type);
    const char* name = std::is_same_v<T, Bf16> ? "conv2d_forward_halo_bf16" : "conv2d_forward_halo";
    const ForwardProduct<T> p = forward_product<T>(g, x.values, w, end, y, write);
    const bool pieces = p.pieces && (!x.map || in_pieces(x.map));
    return run_halo<T, T>(
        context, name, ConvPass::forward, halo_shape(g, ConvPass::forward), pieces, p.y,
        [&](auto tile, auto width, const LaunchConfig& config, const Output& target,
            const Schedule& schedule) {
          gpu::launch(conv2d_forward_halo_mma<decltype(tile), decltype(width)::value,
                                              decltype(mapped)::value>,
                      config, p.x, strided<float>(x.map), p.w, patches_of(p.x, kHaloRows), target,
                      schedule);
        });
  };
  const auto queue_in = [&](auto type) {
    return x.map ? queue(type, std::true_type()) : queue(type, std::false_type());
  };
  return w.dtype == DType::bf16 ? queue_in(Bf16()) : queue_in(float());
}

void conv_dgrad_halo(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                     const ConstView& w, const ConstView& b, const View& dx, Write write) {
  with_types(w.dtype, dy.dtype, [&](auto type, auto dy_type) {
    using T = decltype(type);
    using D = decltype(dy_type);
    const char* name = std::is_same_v<T, Bf16> ? "conv2d_dgrad_halo_bf16" : "conv2d_dgrad_halo";
    for (const DgradProduct<T, D>& p : dgrad_products<T, D>(g, dy, w, b, dx, write))
      run_halo<T, D>(context, name, ConvPass::dgrad, halo_shape(g, ConvPass::dgrad), p.pieces, p.dx,
                     [&](auto tile, auto width, const LaunchConfig& config, const Output& target,
                         const Schedule& schedule) {
                       gpu::launch(conv2d_dgrad_halo_mma<decltype(tile), decltype(width)::value, D>,
                                   config, p.dy, p.w, patches_of(p.dy, kHaloRows), target,
                                   schedule);
                     });
  });
}

}  // namespace glia::GLIA_GPU
