// The gradient of a weight of 3x3, of a convolution of stride 1, on tensor cores, in bf16, for all
// nine taps by one block: it brings dy and x to shared memory once, where mma_tile.h's product
// brings x once a tap. A tap is no more than another address of ldmatrix.
//
// Work mapping: a block computes dw of 64 output channels, 9 taps and 64 input channels: a tile of
// 64x576, in 12 warps of 64x48. It walks through patches of 15x16 positions: 240 depths of the
// product. The splits divide the patches.
//
// Shared memory: two stages of dy (15x16 pixels) and of x (17x18 pixels, 24 a row), 81 KiB each,
// one of which is filled while the other is read: a block a multiprocessor. Of dy a pixel outside
// the grid is 0, whatever x is there.
#pragma once

#include "kernels/cuda/conv/conv_patch.h"
#include "kernels/cuda/conv/gemm_output.h"
#include "kernels/cuda/conv/gemm_schedule.h"
#include "kernels/cuda/conv/mma_tile.h"

namespace glia::GLIA_GPU {

using WgradPatchX =
    PatchLayout<Bf16, kWgradPatchRows + kHaloTaps - 1, kHaloColumns + kHaloTaps - 1, kPatchPitch>;
using WgradPatchDy = PatchLayout<Bf16, kWgradPatchRows, kHaloColumns, kHaloColumns>;

template <class Tile>
struct WgradHaloSmem {
  alignas(128) Bf16 x[Tile::kStages][WgradPatchX::kElements];
  alignas(128) Bf16 dy[Tile::kStages][WgradPatchDy::kElements];
};

/// Copies patches of both operands, of a chunk of 64 channels each, one after the other. Where the
/// next lies is counted, since to divide for it takes registers that the sums need.
/// With kMapped x is read through a map: a thread maps in the patch what it copied, as in
/// conv_halo.h.
template <class Tile, int kVec, class D, bool kMapped = false>
class WgradPatchCopies {
 public:
  GLIA_INLINE WgradPatchCopies(const Gather<D>& dy, const Gather<Bf16>& x, const Radix& patches,
                               const Share& share, const Strided<const float>& x_map = {})
      : dy_(dy),
        x_(x),
        x_map_(x_map),
        patches_(patches),
        dy_chunk_(share.row / Tile::kRows),
        x_chunk_(share.column / Tile::kColumns),
        at_(patches.digits(share.first)) {}

  GLIA_INLINE void copy_patches(Bf16* to_dy, Bf16* to_x) {
    const PatchPlace place(at_, kWgradPatchRows);
    Copies<WgradPatchX, Bf16>(x_, place).copy_part(to_x, x_chunk_, 0);
    Copies<WgradPatchDy, D>(dy_, place).copy_part(to_dy, dy_chunk_, 0);
    if (!kMapped) patches_.add(at_, {1, 0, 0});
  }

  /// This thread's copies of the x that was copied last, once they have arrived.
  GLIA_INLINE void map_patch(Bf16* x) requires kMapped {
    Copies<WgradPatchX, Bf16>(x_, PatchPlace(at_, kWgradPatchRows))
        .map_part(x, x_chunk_, 0, x_map_);
    patches_.add(at_, {1, 0, 0});
  }

 private:
  template <class Layout, class From>
  using Copies = PatchCopies<Layout, Tile::kThreads, kVec, 1, From>;
  Gather<D> dy_;
  Gather<Bf16> x_;
  Strided<const float> x_map_;
  Radix patches_;
  int dy_chunk_, x_chunk_;
  Digits at_;  // the next patch to copy, or, where there is a map, to copy and then to map
};

/// b of a warp: of a row of 16 positions the pixels under them, of 48 columns (tap, channel).
template <class Tile>
struct TapFragments {
  int offsets[Tile::kFragmentColumns / 2];  // of this lane's 16 bytes, of the first row

  GLIA_INLINE TapFragments() {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int j = 0; j < Tile::kFragmentColumns; j += 2) {
      const int column = Tile::warp_column() + 8 * j, tap = column / WgradPatchX::kChannels;
      offsets[j / 2] = WgradPatchX::offset(tap / kHaloTaps, lane % 16 + tap % kHaloTaps,
                                           column % WgradPatchX::kChannels + lane / 16 * 8);
    }
  }
  GLIA_INLINE void load(std::uint32_t (&b)[Tile::kFragmentColumns][2], const Bf16* patch,
                        int row) const {
#pragma unroll
    for (int j = 0; j < Tile::kFragmentColumns; j += 2) {
      std::uint32_t two[4];
      ptx::ldmatrix<4, true>(two, patch + offsets[j / 2] + row * WgradPatchX::kRowPitch);
#pragma unroll
      for (int e = 0; e < 4; ++e) b[j + e / 2][e % 2] = two[e];
    }
  }
};

/// sum += the products of the next `patches` patches, waiting until kPending groups of copies at
/// most are on their way. All threads of the block call it.
template <int kPending = 0, class Tile, class Copies>
GLIA_INLINE void multiply_wgrad_halo(WgradHaloSmem<Tile>& smem, Copies& copies, int patches,
                                     MmaSums<Tile>& sum) {
  static_assert(Tile::kStages == 2 && kHaloColumns == kMmaStep<Bf16>);
  // A patch of dy lies as a slice by depth does.
  static_assert(Tile::kRows == WgradPatchDy::kChannels);
  const MmaFragmentsA<Tile, false> read_dy;
  const TapFragments<Tile> read_x;
  constexpr bool kMaps = requires {
    copies.map_patch(smem.x[0]);
  };
  if (patches > 0) copies.copy_patches(smem.dy[0], smem.x[0]);
  ptx::cp_async_commit();
  const auto map_patch = [&](int p) {
    if constexpr (kMaps) {
      ptx::cp_async_wait<kPending>();
      if (p < patches) copies.map_patch(smem.x[p % 2]);
    }
  };
  map_patch(0);
#pragma unroll 1
  for (int p = 0; p < patches; ++p) {
    ptx::cp_async_wait<kPending>();
    // Patch p has arrived for all threads; and all have finished with patch p - 1, whose stage is
    // filled again now.
    __syncthreads();
#pragma unroll
    for (int row = 0; row < kWgradPatchRows; ++row) {
      std::uint32_t a[Tile::kFragmentRows][4], b[Tile::kFragmentColumns][2];
      read_dy.load(a, smem.dy[p % 2], row);
      read_x.load(b, smem.x[p % 2], row);
#pragma unroll
      for (int i = 0; i < Tile::kFragmentRows; ++i)
#pragma unroll
        for (int j = 0; j < Tile::kFragmentColumns; ++j)
          multiply_add<Bf16>(sum.at[i][j], a[i], b[j]);
      if (row == 0) {
        if (p + 1 < patches) copies.copy_patches(smem.dy[(p + 1) % 2], smem.x[(p + 1) % 2]);
        ptx::cp_async_commit();
      }
    }
    map_patch(p + 1);
  }
}

/// Writes a thread's part of the tile, of an x of so many channels.
template <class Tile>
GLIA_INLINE void store_taps(const Output& dw, const Share& share, int channels,
                            const MmaSums<Tile>& sum) {
  const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
  const int first_channel = share.column / (kHaloTaps * kHaloTaps);
#pragma unroll
  for (int j = 0; j < Tile::kFragmentColumns; ++j) {
    const int column = Tile::warp_column() + 8 * j, tap = column / WgradPatchX::kChannels;
    const int at = tap * channels + first_channel + column % WgradPatchX::kChannels + 2 * t;
#pragma unroll
    for (int i = 0; i < 2 * Tile::kFragmentRows; ++i) {
      const std::int64_t to = share.split * dw.split_step + (share.row + 8 * i + g) * dw.pitch + at;
      const float* two = sum.at[i / 2][j] + i % 2 * 2;
      if (dw.pieces) {
        dw.put<2, float>(to, two);
      } else {
        dw.put<1, float>(to, two);
        dw.put<1, float>(to + 1, two + 1);
      }
    }
  }
}

}  // namespace glia::GLIA_GPU
