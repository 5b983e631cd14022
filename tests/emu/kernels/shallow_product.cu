// A convolution 3x3 of few channels by kernels/cuda/conv/conv_shallow.h. Planted bugs are put in
// from outside, by other fillings up to eight channels.
#include "kernels/cuda/conv/conv_shallow.h"
#include "tests/emu/kernels/windows3x3.h"

namespace glia::emu_test {
namespace {

using namespace gpu;
using Tile = MmaBlock<kHaloTiles[1], Bf16>;

/// What comes after the last channel is not 0, neither of a pixel nor of a tap.
struct Unpadded : ShallowChannels {
  Unpadded() = default;
  GLIA_INLINE Unpadded(const Bf16* from, int channels) : ShallowChannels(from, channels) {
    pairs[kShallowChannels / 2 - 1] |= std::uint32_t{0x3F80} << 16;
  }
};

template <class Channels>
__global__ void __launch_bounds__(Tile::kThreads)
    shallow3x3(Gather<Bf16> x, RowMatrix<Bf16> w, Radix patches, Output y, Schedule schedule) {
  auto& smem = gpu::shared<ShallowSmem<Tile>>();
  const Share share = share_of_block<Tile>(schedule);
  const PatchPlace place(patches, kHaloRows, share.row / Tile::kRows);
  fill_shallow<Tile, Channels>(smem, x, w, place, share.column);
  MmaSums<Tile> sum;
  multiply_shallow(smem, sum);
  store_patch<Tile, true>(y, share, place, x, sum);
}

}  // namespace

void shallow_product(const std::uint16_t* x, const std::uint16_t* w, float* y,
                     const HaloShape& shape, Bug bug) {
  const Gather<Bf16> gather = windows3x3(x, shape, bug == Bug::shallow_border_not_checked ? 1 : 0);
  const RowMatrix<Bf16> matrix = weights3x3(w, shape);
  const Output output = output3x3(y, shape);
  const int column_tiles = (shape.k + Tile::kColumns - 1) / Tile::kColumns;
  const Radix patches = patches_of(gather, kHaloRows);
  const LaunchConfig config = {
      .grid = static_cast<unsigned>(patches.low * patches.middle * column_tiles),
      .block = Tile::kThreads,
      .smem_bytes = sizeof(ShallowSmem<Tile>),
      .name = "shallow3x3"};
  const auto run = [&](auto* kernel) {
    gpu::launch(kernel, config, gather, matrix, patches, output, Schedule{column_tiles, 1, 1});
  };
  if (bug == Bug::shallow_not_padded) return run(shallow3x3<Unpadded>);
  run(shallow3x3<ShallowChannels>);
}

}  // namespace glia::emu_test
