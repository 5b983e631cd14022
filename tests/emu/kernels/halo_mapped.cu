// A convolution 3x3 by patches of an input that is read through a map
// (kernels/cuda/conv/conv_halo.h). Planted bugs are put in from outside, by another map or at
// another time.
#include "kernels/cuda/conv/conv_halo.h"
#include "tests/emu/kernels/windows3x3.h"

namespace glia::emu_test {
namespace {

using namespace gpu;

using Tile = MmaBlock<kHaloTiles[1], Bf16>;
using Copies = ChunkCopies<Tile, kPieceOf<Bf16>, Bf16>;
using Correct = MappedCopies<Copies>;

struct Early {
  const Correct& mapped;

  GLIA_INLINE void copy_part(Bf16* patch, int chunk, int part) const {
    mapped.copy_part(patch, chunk, part);
    mapped.map_part(patch, chunk, part);
  }
};

struct ByAnother {
  const Correct& mapped;

  GLIA_INLINE void copy_part(Bf16* patch, int chunk, int part) const {
    mapped.copy_part(patch, chunk, part);
  }
  GLIA_INLINE void map_part(Bf16* patch, int chunk, int part) const {
    const std::int64_t back = chunk == 0 ? 0 : Patch::kChannels;
    mapped.copies.map_part(patch, chunk, part, {mapped.map.data - back, mapped.map.pitch});
  }
};

/// `everywhere` holds every pixel of a patch for one of the image.
struct Padding {
  const Correct& mapped;
  const Copies& everywhere;

  GLIA_INLINE void copy_part(Bf16* patch, int chunk, int part) const {
    mapped.copy_part(patch, chunk, part);
  }
  GLIA_INLINE void map_part(Bf16* patch, int chunk, int part) const {
    everywhere.map_part(patch, chunk, part, mapped.map);
  }
};

template <Bug kBug>
__global__ void __launch_bounds__(Tile::kThreads)
    halo3x3_mapped(Gather<Bf16> x, Strided<const float> map, RowMatrix<Bf16> w, Radix patches,
                   Output y, Schedule schedule) {
  auto& smem = gpu::shared<HaloSmem<Tile>>();
  const Share share = share_of_block<Tile>(schedule);
  const PatchPlace place(patches, kHaloRows, share.row / Tile::kRows);
  Gather<Bf16> larger = x;
  larger.offset_h = larger.offset_w = 0;
  larger.height = larger.width = 1 << 20;
  const Copies copies(x, place), everywhere(larger, place);
  const Correct mapped{copies, map};
  TapSlicesByRow<Tile, kPieceOf<Bf16>> b(w, x.channels, share.column, share.first);
  MmaSums<Tile> sum;
  const auto multiply = [&](const auto& a) {
    multiply_halo(smem, a, b, share.first, share.slices, sum);
  };
  if constexpr (kBug == Bug::halo_mapped_early)
    multiply(Early{mapped});
  else if constexpr (kBug == Bug::halo_mapped_by_another)
    multiply(ByAnother{mapped});
  else if constexpr (kBug == Bug::halo_mapped_padding)
    multiply(Padding{mapped, everywhere});
  else
    multiply(mapped);
  store_patch<Tile, true>(y, share, place, x, sum);
}

}  // namespace

void halo_mapped(const std::uint16_t* x, const float* map, const std::uint16_t* w, float* y,
                 const HaloShape& shape, Bug bug) {
  const Gather<Bf16> gather = windows3x3(x, shape, 0);
  const int column_tiles = (shape.k + Tile::kColumns - 1) / Tile::kColumns;
  const Radix patches = patches_of(gather, kHaloRows);
  const Schedule schedule = {column_tiles, shape.c / Patch::kChannels, 1};
  const LaunchConfig config = {
      .grid = static_cast<unsigned>(patches.low * patches.middle * column_tiles),
      .block = Tile::kThreads,
      .smem_bytes = sizeof(HaloSmem<Tile>),
      .name = "halo3x3_mapped"};
  const auto run = [&](auto* kernel) {
    gpu::launch(kernel, config, gather, Strided<const float>{map, shape.c},
                weights3x3<Bf16>(w, shape), patches, output3x3(y, shape), schedule);
  };
  switch (bug) {
    case Bug::halo_mapped_early: return run(halo3x3_mapped<Bug::halo_mapped_early>);
    case Bug::halo_mapped_padding: return run(halo3x3_mapped<Bug::halo_mapped_padding>);
    case Bug::halo_mapped_by_another: return run(halo3x3_mapped<Bug::halo_mapped_by_another>);
    default: return run(halo3x3_mapped<Bug::none>);
  }
}

}  // namespace glia::emu_test
