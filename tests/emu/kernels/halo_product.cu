// A convolution 3x3 by the patches of kernels/cuda/conv/conv_halo.h. Planted bugs are put in from
// outside, by other copies of patches or another wait.
#include "kernels/cuda/conv/conv_halo.h"
#include "kernels/cuda/conv/mma_store.h"
#include "tests/emu/kernels/windows3x3.h"

namespace glia::emu_test {
namespace {

using namespace gpu;
using Tile = MmaBlock<kHaloTiles[1], Bf16>;
using Copies = ChunkCopies<Tile, 8, Bf16>;

/// Pixels as they come: not where the fragments are read.
struct Unpermuted {
  Gather<Bf16> g;
  PatchPlace place;

  GLIA_INLINE void copy_part(Bf16* patch, int chunk, int part) const {
    if (part > 0) return;
    for (int unit = threadIdx.x; unit < Patch::kPixels * 8; unit += Tile::kThreads) {
      const int row = unit / 8 / Patch::kColumns, column = unit / 8 % Patch::kColumns;
      const int h = place.i + g.offset_h + row, w = place.j + g.offset_w + column;
      const bool inside = h >= 0 && h < g.height && w >= 0 && w < g.width;
      const Bf16* from = g.data + chunk * Patch::kChannels + unit % 8 * 8;
      copy<8>(patch + row * Patch::kRowPitch + column * Patch::kChannels + unit % 8 * 8,
              ptx::advanced(from, h * g.width + w, bytes_of<Bf16>(g.pitch)), inside);
    }
  }
};

/// The next patch over the one that is read.
struct Overwriting {
  const Copies& copies;
  HaloSmem<Tile>& smem;

  GLIA_INLINE void copy_part(Bf16* patch, int chunk, int part) const {
    Bf16* other = patch == smem.patches[0] ? smem.patches[1] : smem.patches[0];
    copies.copy_part(chunk == 0 ? patch : other, chunk, part);
  }
};

template <Bug kBug>
__global__ void __launch_bounds__(Tile::kThreads)
    halo3x3(Gather<Bf16> x, RowMatrix<Bf16> w, Radix patches, Output y, Schedule schedule) {
  auto& smem = gpu::shared<HaloSmem<Tile>>();
  const Share share = share_of_block<Tile>(schedule);
  const PatchPlace place(patches, kHaloRows, share.row / Tile::kRows);
  const Copies a(x, place);
  TapSlicesByRow<Tile, 8> b(w, x.channels, share.column, 0);
  MmaSums<Tile> sum;
  if constexpr (kBug == Bug::halo_unpermuted)
    multiply_halo(smem, Unpermuted{x, place}, b, 0, share.slices, sum);
  else if constexpr (kBug == Bug::halo_patch_overwritten)
    multiply_halo(smem, Overwriting{a, smem}, b, 0, share.slices, sum);
  else
    multiply_halo<kBug == Bug::halo_weak_wait ? 2 : 1>(smem, a, b, 0, share.slices, sum);
  store_patch<Tile, true>(y, share, place, x, sum);
}

}  // namespace

void halo_product(const std::uint16_t* x, const std::uint16_t* w, float* y, const HaloShape& shape,
                  Bug bug) {
  const Gather<Bf16> gather = windows3x3(x, shape, bug == Bug::halo_border_not_checked ? 1 : 0);
  const RowMatrix<Bf16> matrix = weights3x3(w, shape);
  const Output output = output3x3(y, shape);
  const int column_tiles = (shape.k + Tile::kColumns - 1) / Tile::kColumns;
  const Radix patches = patches_of(gather, kHaloRows);
  const Schedule schedule = {column_tiles, shape.c / Patch::kChannels, 1};
  const LaunchConfig config = {
      .grid = static_cast<unsigned>(patches.low * patches.middle * column_tiles),
      .block = Tile::kThreads,
      .smem_bytes = sizeof(HaloSmem<Tile>),
      .name = "halo3x3"};
  const auto run = [&](auto* kernel) {
    gpu::launch(kernel, config, gather, matrix, patches, output, schedule);
  };
  switch (bug) {
    case Bug::halo_weak_wait: return run(halo3x3<Bug::halo_weak_wait>);
    case Bug::halo_unpermuted: return run(halo3x3<Bug::halo_unpermuted>);
    case Bug::halo_patch_overwritten: return run(halo3x3<Bug::halo_patch_overwritten>);
    default: return run(halo3x3<Bug::none>);
  }
}

}  // namespace glia::emu_test
