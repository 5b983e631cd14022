// A convolution 3x3 of stride 1 of at most eight channels, such as a network's first, on tensor
// cores, in bf16: the depth of all its sums is that of nine taps of eight channels.
//
// Work mapping: a block computes 8x16 positions and kColumns channels of the result, as conv_halo.h
// does, but in five steps, of two taps each; a warp 64x32 of it. A pixel is brought to shared
// memory by one thread, which fills it up to eight channels with zeros: images in memory need none.
//
// Shared memory: a patch of 10x18 pixels of 16 bytes, 3 KiB, and for 64 columns the ten taps of
// weights, the tenth of zeros, 16 KiB. Both are there after one barrier.
#pragma once

#include "kernels/cuda/conv/conv_halo.h"

namespace glia::GLIA_GPU {

struct ShallowPatch {
  static constexpr int kRows = Patch::kRows, kColumns = Patch::kColumns, kPixels = Patch::kPixels;

  /// Neighbours of a row find different banks as they lie.
  GLIA_INLINE static int offset(int row, int column) {
    return (row * kColumns + column) * kShallowChannels;
  }
};

/// How the weights lie: [column][tap][channel], 16 taps a column, of which ten are used.
struct ShallowTaps {
  static constexpr int kTaps = kHaloTaps * kHaloTaps, kSteps = (kTaps + 1) / 2;

  GLIA_INLINE static int offset(int column, int tap) {
    const int piece = (tap & 8) | MmaRowsB<Bf16>::piece(column, tap & 7);
    return (column * 16 + piece) * kShallowChannels;
  }
};

template <class Tile>
struct ShallowSmem {
  alignas(128) Bf16 patch[ShallowPatch::kPixels * kShallowChannels];
  alignas(128) Bf16 taps[Tile::kColumns * 16 * kShallowChannels];
};

/// The channels of a pixel or of a tap's weights, with zeros after the last.
struct alignas(16) ShallowChannels {
  std::uint32_t pairs[kShallowChannels / 2] = {};

  ShallowChannels() = default;
  GLIA_INLINE ShallowChannels(const Bf16* from, int channels) {
#pragma unroll
    for (int c = 0; c < kShallowChannels; ++c)
      if (c < channels) pairs[c / 2] |= static_cast<std::uint32_t>(from[c].bits) << c % 2 * 16;
  }
  GLIA_INLINE void store(Bf16* to) const {
    *reinterpret_cast<ShallowChannels*>(to) = *this;
  }
};

/// Brings a block's pixels and weights to shared memory. A thread reads all of its own before it
/// waits for any.
template <class Tile, class Channels = ShallowChannels>
GLIA_INLINE void fill_shallow(ShallowSmem<Tile>& smem, const Gather<Bf16>& x,
                              const RowMatrix<Bf16>& w, const PatchPlace& place, int column) {
  constexpr int kThreads = Tile::kThreads, kTaps = ShallowTaps::kTaps;
  constexpr int kPixels = (ShallowPatch::kPixels + kThreads - 1) / kThreads;
  constexpr int kWeights = Tile::kColumns * kTaps / kThreads + 1;
  const int thread = threadIdx.x;
  Channels pixels[kPixels], weights[kWeights];
#pragma unroll
  for (int i = 0; i < kPixels; ++i) {
    const int pixel = i * kThreads + thread;
    const int h = place.i + x.offset_h + pixel / ShallowPatch::kColumns;
    const int v = place.j + x.offset_w + pixel % ShallowPatch::kColumns;
    if (pixel < ShallowPatch::kPixels && h >= 0 && h < x.height && v >= 0 && v < x.width)
      pixels[i] = Channels(
          ptx::advanced(x.data, (place.n * x.height + h) * x.width + v, bytes_of<Bf16>(x.pitch)),
          x.channels);
  }
#pragma unroll
  for (int i = 0; i < kWeights; ++i) {
    const int unit = i * kThreads + thread, k = column + unit / kTaps;
    if (unit < Tile::kColumns * kTaps && k < w.rows)
      weights[i] = Channels(w.data + k * w.pitch + unit % kTaps * x.channels, x.channels);
  }
#pragma unroll
  for (int i = 0; i < kPixels; ++i) {
    const int pixel = i * kThreads + thread;
    if (pixel < ShallowPatch::kPixels) pixels[i].store(smem.patch + pixel * kShallowChannels);
  }
#pragma unroll
  for (int i = 0; i < kWeights; ++i) {
    const int unit = i * kThreads + thread;
    if (unit < Tile::kColumns * kTaps)
      weights[i].store(smem.taps + ShallowTaps::offset(unit / kTaps, unit % kTaps));
  }
  for (int k = thread; k < Tile::kColumns; k += kThreads)
    Channels().store(smem.taps + ShallowTaps::offset(k, kTaps));
  // All pixels and weights are there for all threads.
  __syncthreads();
}

/// sum += all products. What the tenth tap multiplies by 0 are pixels of the ninth, so that none
/// counts that is not under the window.
template <class Tile>
GLIA_INLINE void multiply_shallow(const ShallowSmem<Tile>& smem, MmaSums<Tile>& sum) {
  const int lane = threadIdx.x % 32, c = lane % 8;
  // As MmaFragmentsB by row deals out columns.
  const int column = Tile::warp_column() + c / 2 * 8 + c % 2 + lane / 16 * 2;
#pragma unroll
  for (int step = 0; step < ShallowTaps::kSteps; ++step) {
    std::uint32_t a[Tile::kFragmentRows][4], b[Tile::kFragmentColumns][2];
    const int tap = min(2 * step + lane / 16, ShallowTaps::kTaps - 1);
    const int row = Tile::warp_row() / kHaloColumns + tap / kHaloTaps;
#pragma unroll
    for (int i = 0; i < Tile::kFragmentRows; ++i)
      ptx::ldmatrix<4>(a[i],
                       smem.patch + ShallowPatch::offset(row + i, lane % 16 + tap % kHaloTaps));
#pragma unroll
    for (int j = 0; j < Tile::kFragmentColumns; j += 2) {
      std::uint32_t two[4];
      ptx::ldmatrix<4>(two, smem.taps + ShallowTaps::offset(column + j / 4 * 32 + j % 4 * 2,
                                                            2 * step + lane / 8 % 2));
#pragma unroll
      for (int e = 0; e < 4; ++e) b[j + e / 2][e % 2] = two[e];
    }
#pragma unroll
    for (int i = 0; i < Tile::kFragmentRows; ++i)
#pragma unroll
      for (int j = 0; j < Tile::kFragmentColumns; ++j) multiply_add<Bf16>(sum.at[i][j], a[i], b[j]);
  }
}

}  // namespace glia::GLIA_GPU
