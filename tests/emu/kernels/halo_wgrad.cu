// The gradient of a weight of 3x3 by the patches of kernels/cuda/conv/conv_wgrad_halo.h. Planted
// bugs are put in from outside, by other copies of patches or another wait.
#include "kernels/cuda/conv/conv_wgrad_halo.h"

#include "tests/emu/kernels/windows3x3.h"

namespace glia::emu_test {
namespace {

using namespace gpu;
using Tile = MmaBlock<kHaloWgradTile, Bf16>;
using Smem = WgradHaloSmem<Tile>;
using Copies = WgradPatchCopies<Tile, 8, Bf16>;

/// Pixels of dy as they come: not where the fragments are read.
struct Unpermuted {
  Copies copies;

  GLIA_INLINE void copy_patches(Bf16* dy, Bf16* x) {
    copies.copy_patches(dy, x);
    ptx::cp_async_commit();
    ptx::cp_async_wait<0>();
    __syncthreads();
    for (int pixel = threadIdx.x; pixel < WgradPatchDy::kPixels; pixel += Tile::kThreads) {
      Bf16 in_order[WgradPatchDy::kChannels];
      for (int c = 0; c < WgradPatchDy::kChannels; ++c)
        in_order[c] = dy[WgradPatchDy::offset(pixel / kHaloColumns, pixel % kHaloColumns, c)];
      for (int c = 0; c < WgradPatchDy::kChannels; ++c)
        dy[pixel * WgradPatchDy::kChannels + c] = in_order[c];
    }
  }
};

/// The next patch over the one that is read.
struct OneStage {
  Copies copies;
  Smem& smem;

  GLIA_INLINE void copy_patches(Bf16*, Bf16*) { copies.copy_patches(smem.dy[0], smem.x[0]); }
};

template <Bug kBug>
__global__ void __launch_bounds__(Tile::kThreads)
    wgrad3x3(Gather<Bf16> dy, Gather<Bf16> x, Radix patches, Output dw, Schedule schedule) {
  auto& smem = gpu::shared<Smem>();
  const Share share = share_of_block<Tile>(schedule);
  Copies copies(dy, x, patches, share);
  MmaSums<Tile> sum;
  if constexpr (kBug == Bug::halo_wgrad_unpermuted) {
    Unpermuted unpermuted{copies};
    multiply_wgrad_halo(smem, unpermuted, share.slices, sum);
  } else if constexpr (kBug == Bug::halo_wgrad_one_stage) {
    OneStage one{copies, smem};
    multiply_wgrad_halo(smem, one, share.slices, sum);
  } else {
    multiply_wgrad_halo<kBug == Bug::halo_wgrad_weak_wait ? 1 : 0>(smem, copies, share.slices, sum);
  }
  store_taps<Tile>(dw, share, x.channels, sum);
}

}  // namespace

void halo_wgrad(const std::uint16_t* dy, const std::uint16_t* x, float* dw, const HaloShape& shape,
                Bug bug) {
  const auto [H, W, C, K] = shape;
  const Gather<Bf16> windows = windows3x3(x, shape, 0);
  Gather<Bf16> pixels = windows;
  pixels.data = reinterpret_cast<const Bf16*>(dy);
  pixels.pitch = pixels.channels = K;
  pixels.offset_h = pixels.offset_w = 0;
  if (bug == Bug::halo_wgrad_grid_not_bounded) ++pixels.height;
  const Output output = {
      .data = dw, .pitch = 9 * C, .rows = K, .columns = 9 * C, .channels = 9 * C, .pieces = true};
  const Radix patches = patches_of(windows, kWgradPatchRows);
  const int chunks = C / WgradPatchX::kChannels;
  const LaunchConfig config = {.grid = static_cast<unsigned>(K / WgradPatchDy::kChannels * chunks),
                               .block = Tile::kThreads,
                               .smem_bytes = sizeof(Smem),
                               .name = "wgrad3x3"};
  const auto run = [&](auto* kernel) {
    gpu::launch(kernel, config, pixels, windows, patches, output,
                Schedule{chunks, patches.low * patches.middle, 1});
  };
  switch (bug) {
    case Bug::halo_wgrad_weak_wait: return run(wgrad3x3<Bug::halo_wgrad_weak_wait>);
    case Bug::halo_wgrad_unpermuted: return run(wgrad3x3<Bug::halo_wgrad_unpermuted>);
    case Bug::halo_wgrad_one_stage: return run(wgrad3x3<Bug::halo_wgrad_one_stage>);
    default: return run(wgrad3x3<Bug::none>);
  }
}

}  // namespace glia::emu_test
