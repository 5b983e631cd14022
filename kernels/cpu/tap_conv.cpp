// Work mapping: a task is a tile of output rows of one image. It packs the input rows it needs, a
// block of channels at a time, with a zero halo, so that the inner loop has no bounds to check;
// then a micro-kernel keeps kPixels x kVectors accumulators in registers over all taps and
// channels. Weights are packed once a call as [output block][channel block][tap][channel][output],
// so that the micro-kernel streams them. The order of summation of an output does not depend on the
// tiling.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/tap_conv.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>

#include "kernels/cpu/map-inl.h"
#include "kernels/cpu/row_pack.h"
#include "kernels/cpu/tap_conv.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

constexpr int kPixels = 6;

/// What the micro-kernel reads and writes for one group of pixels.
struct Group {
  const float* const* taps;  // where each tap's first pixel lies
  std::int64_t tap_count, channels, pixel_step;
  const float* weights;  // [tap][channel][kVectors * Lanes]
  float* out;
  std::int64_t out_step;
  std::int64_t outputs;  // of this block that exist
  const float* bias;     // of this block, or null
  bool first;            // of the channel blocks: starts from the bias, else from `out`
  bool accumulate;       // adds to what `out` held before the call
};

template <int kP, int kV>
HWY_INLINE void micro(const Group& g) {
  const Floats d;
  FloatVec acc[kP][kV];
#pragma GCC unroll 8
  for (int p = 0; p < kP; ++p)
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) acc[p][v] = hn::Zero(d);

  for (std::int64_t t = 0; t < g.tap_count; ++t) {
    const float* HWY_RESTRICT x = g.taps[t];
    const float* HWY_RESTRICT w = g.weights + t * g.channels * kVectors * kLanes;
    for (std::int64_t c = 0; c < g.channels; ++c) {
      FloatVec b[kV];
#pragma GCC unroll 8
      for (int v = 0; v < kV; ++v) b[v] = hn::Load(d, w + v * kLanes);
#pragma GCC unroll 8
      for (int p = 0; p < kP; ++p) {
        const FloatVec a = hn::Set(d, x[p * g.pixel_step]);
#pragma GCC unroll 8
        for (int v = 0; v < kV; ++v) acc[p][v] = hn::MulAdd(a, b[v], acc[p][v]);
      }
      ++x;
      w += kVectors * kLanes;
    }
  }

#pragma GCC unroll 8
  for (int p = 0; p < kP; ++p) {
    float* out = g.out + p * g.out_step;
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) {
      const std::int64_t rest = g.outputs - v * kLanes;
      FloatVec sum = acc[p][v];
      if (g.first && g.bias != nullptr) sum = hn::Add(sum, load_some(d, g.bias + v * kLanes, rest));
      write_some(d, sum, out + v * kLanes, rest, !g.first || g.accumulate);
    }
  }
}

template <int kV>
HWY_NOINLINE void micro_pixels(const Group& g, int pixels) {
  switch (pixels) {
    case 1: return micro<1, kV>(g);
    case 2: return micro<2, kV>(g);
    case 3: return micro<3, kV>(g);
    case 4: return micro<4, kV>(g);
    case 5: return micro<5, kV>(g);
    default: return micro<kPixels, kV>(g);
  }
}

void micro_any(const Group& g, int pixels) {
  switch (std::min<std::int64_t>(kVectors, ceil_div(g.outputs, kLanes))) {
    case 1: return micro_pixels<1>(g, pixels);
    case 2: return micro_pixels<2>(g, pixels);
    case 3: return micro_pixels<std::min(3, kVectors)>(g, pixels);
    default: return micro_pixels<kVectors>(g, pixels);
  }
}

/// Packs the weights of one output block: all channel blocks, taps and channels of it.
void pack_weights(const TapConv& a, std::int64_t block, std::int64_t depth_block, float* packed) {
  const std::int64_t K = a.w.shape[0], positions = a.w.shape[1] * a.w.shape[2], C = a.w.shape[3];
  const std::int64_t depth = a.w_reduces_k ? K : C, outputs = a.w_reduces_k ? C : K;
  const std::int64_t first = block * kBlock, count = std::min(kBlock, outputs - first);
  const std::int64_t depth_stride = a.w_reduces_k ? positions * C : 1;
  const std::int64_t output_stride = a.w_reduces_k ? 1 : positions * C;
  for (std::int64_t c0 = 0; c0 < depth; c0 += depth_block) {
    const std::int64_t channels = std::min(depth_block, depth - c0);
    for (const Tap& tap : a.taps) {
      const float* w =
          a.w.as<float>() + tap.position * C + c0 * depth_stride + first * output_stride;
      // Tiles of 16 channels keep the cache lines of a strided read until all of them were used.
      for (std::int64_t c16 = 0; c16 < channels; c16 += 16)
        for (std::int64_t k = 0; k < kBlock; ++k)
          for (std::int64_t c = c16; c < std::min(channels, c16 + 16); ++c)
            packed[c * kBlock + k] = k < count ? w[c * depth_stride + k * output_stride] : 0.0f;
      packed += channels * kBlock;
    }
  }
}

void tap_conv(KernelContext& context, const TapConv& a) {
  const std::int64_t depth = a.in.channels(), outputs = a.out.channels();
  const std::int64_t images = a.in.shape[0];
  const auto taps = static_cast<std::int64_t>(a.taps.size());
  if (a.rows <= 0 || a.cols <= 0 || images == 0) return;

  const RowPack pack(a.taps, a.in, a.in_step_h, a.in_step_w, a.cols);
  const std::int64_t depth_block = std::min<std::int64_t>(depth, 128);
  const std::int64_t blocks = ceil_div(outputs, kBlock);
  const std::int64_t tile = pack.tile_rows(depth_block, a.rows, images, context.threads);
  const std::int64_t tiles = ceil_div(a.rows, tile);

  const std::int64_t weights_size = depth * taps * kBlock;  // of one output block
  const std::int64_t scratch_size = round_up(pack.size(tile, depth_block), 16);
  auto* weights = static_cast<float*>(context.workspace.reserve(
      static_cast<std::size_t>(blocks * weights_size + context.threads * scratch_size) *
      sizeof(float)));
  float* scratch = weights + blocks * weights_size;
  parallel_for(context, blocks, [&](std::int64_t b) HWY_ATTR {
    pack_weights(a, b, depth_block, weights + b * weights_size);
  });

  parallel_for(context, images * tiles, [&](std::int64_t task) HWY_ATTR {
    const std::int64_t n = task / tiles, i0 = task % tiles * tile;
    const std::int64_t rows = std::min(tile, a.rows - i0);
    float* packed = scratch + thread_number() * scratch_size;
    std::vector<const float*> origins(static_cast<std::size_t>(taps));
    for (std::int64_t c0 = 0; c0 < depth || c0 == 0; c0 += depth_block) {
      const std::int64_t channels = std::min(depth_block, depth - c0);
      const std::int64_t pixel = pack.pixel_pitch(channels);
      pack.pack(n, i0, rows, c0, channels, packed);
      for (std::int64_t b = 0; b < blocks; ++b) {
        for (std::int64_t i = 0; i < rows; ++i) {
          for (std::int64_t j = 0; j < a.cols; j += kPixels) {
            for (std::int64_t t = 0; t < taps; ++t)
              origins[static_cast<std::size_t>(t)] =
                  packed + pack.offset(a.taps[static_cast<std::size_t>(t)], i, j, pixel);
            const std::int64_t row =
                (n * a.out.shape[1] + a.out_first_h + (i0 + i) * a.out_step_h) * a.out.shape[2] +
                a.out_first_w + j * a.out_step_w;
            const Group group = {
                .taps = origins.data(),
                .tap_count = taps,
                .channels = channels,
                .pixel_step = a.in_step_w * pixel,
                .weights = weights + b * weights_size + c0 * taps * kBlock,
                .out = a.out.as<float>() + row * a.out.pitch + b * kBlock,
                .out_step = a.out_step_w * a.out.pitch,
                .outputs = std::min(kBlock, outputs - b * kBlock),
                .bias = a.bias ? a.bias.as<float>() + b * kBlock : nullptr,
                .first = c0 == 0,
                .accumulate = a.write == Write::accumulate,
            };
            micro_any(group, static_cast<int>(std::min<std::int64_t>(kPixels, a.cols - j)));
          }
        }
      }
    }
  });
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::cpu {
HWY_EXPORT(tap_conv);
void tap_conv(KernelContext& context, const TapConv& problem) {
  HWY_DYNAMIC_DISPATCH(tap_conv)(context, problem);
}
}  // namespace glia::cpu
#endif
