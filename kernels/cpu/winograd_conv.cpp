// Winograd's forward pass; dgrad is the same with the weights flipped and their channels exchanged.
//
// Work mapping: the transformed weights are made once a call, [output block][frequency][channel]
// [output]. A task is a few tiles: it transforms their pixels, [frequency][tile][channel], then for
// each block of outputs multiplies frequency by frequency and transforms the products back. Both
// buffers are of a size that the L2 cache holds; only the weights are streamed. Sums run over all
// channels in one go, so their order depends on nothing.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/winograd_conv.cpp"
#include <hwy/foreach_target.h>
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/cpu/winograd-inl.h"
#include "kernels/cpu/winograd.h"
#include "kernels/cpu/winograd_tiles.h"

#ifndef GLIA_WINOGRAD_CONV
#define GLIA_WINOGRAD_CONV
namespace glia::cpu {

/// out[n,p,q,k] (+)= bias[k] + sum of in[n, p + r - pad_top, q + s - pad_left, c] * w at (r, s).
struct WinogradConv {
  ConstView in, w, bias;
  View out;
  std::int64_t pad_top, pad_left;
  bool dgrad;  // c is w's K and k its C, and (r, s) stands for w's (2 - r, 2 - s)
  Write write;
};

}  // namespace glia::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

constexpr std::int64_t kOutputs = std::max(kBlock, kLine);  // a block of them
constexpr std::int64_t kSlice = 128;                        // channels

/// Transforms the weights of outputs [first, first + count) and of channels [c0, c0 + channels):
/// element (f, c, k) goes to to[f * frequency_step + c * pitch + k], zeros behind the last output.
void transform_weights(const WinogradConv& a, std::int64_t first, std::int64_t count,
                       std::int64_t c0, std::int64_t channels, float* to,
                       std::int64_t frequency_step, std::int64_t pitch) {
  constexpr std::int64_t kStrip = 16;
  const Floats d;
  const std::int64_t C = a.w.shape[3];
  const std::int64_t depth_step = a.dgrad ? 9 * C : 1, output_step = a.dgrad ? 1 : 9 * C;
  for (std::int64_t k = 0; k < count; k += kLine) {
    const std::int64_t rest = std::min(kLine, count - k);
    for (std::int64_t c = 0; c < channels; c += kStrip) {
      // The strip's outputs side by side, so that they make vectors.
      const std::int64_t strip = std::min(kStrip, channels - c);
      HWY_ALIGN float taps[9][kStrip * kLine];
      for (std::int64_t tap = 0; tap < 9; ++tap) {
        const float* from = a.w.as<float>() + (a.dgrad ? 8 - tap : tap) * C +
                            (c0 + c) * depth_step + (first + k) * output_step;
        for (std::int64_t l = 0; l < kLine; ++l)
          for (std::int64_t i = 0; i < strip; ++i)
            taps[tap][i * kLine + l] = l < rest ? from[i * depth_step + l * output_step] : 0.0f;
      }
      for (std::int64_t i = 0; i < strip; ++i) {
        float* place = to + (c + i) * pitch + k;
        transform<WeightMatrix>(
            [&](int r, int s, int v)
                HWY_ATTR { return hn::Load(d, taps[r * 3 + s] + i * kLine + v * kLanes); },
            [&](int r, int s, int v, FloatVec x)
                HWY_ATTR { hn::Store(x, d, place + (r * 6 + s) * frequency_step + v * kLanes); });
      }
    }
  }
}

/// Transforms products of one tile back and writes its pixels: outputs [first, first + count),
/// whose product f lies at products + f * frequency_step. `stream`: past the caches, in whole
/// lines.
template <bool stream>
HWY_INLINE void write_tile(const WinogradConv& a, const Square<View>& square, std::int64_t first,
                           std::int64_t count, const float* products, std::int64_t frequency_step) {
  const Floats d;
  for (std::int64_t k = 0; k < count; k += kLine) {
    const std::int64_t rest = count - k;
    const auto bias_of = [&](int v) HWY_ATTR {
      return a.bias && rest > v * kLanes
                 ? load_some(d, a.bias.as<float>() + first + k + v * kLanes, rest - v * kLanes)
                 : hn::Zero(d);
    };
    const auto load = [&](int i, int j, int v) HWY_ATTR {
      return hn::Load(d, products + (i * 6 + j) * frequency_step + k + v * kLanes);
    };
    if (square.inside && rest >= kLine && a.write == Write::overwrite) {
      transform<OutputMatrix>(load, [&](int i, int j, int v, FloatVec x) HWY_ATTR {
        float* y = square.at(i, j, first + k) + v * kLanes;
        x = hn::Add(x, bias_of(v));
        if (stream)
          hn::Stream(x, d, y);
        else
          hn::StoreU(x, d, y);
      });
      continue;
    }
    transform<OutputMatrix>(load, [&](int i, int j, int v, FloatVec x) HWY_ATTR {
      if (!square.has(i, j) || rest <= v * kLanes) return;
      write_some(d, hn::Add(x, bias_of(v)), square.at(i, j, first + k) + v * kLanes,
                 rest - v * kLanes, a.write == Write::accumulate);
    });
  }
}

/// The tiles of the result, and where their pixels come from and go.
struct Tiles : WinogradTiles {
  const WinogradConv& a;

  explicit Tiles(const WinogradConv& conv)
      : WinogradTiles(conv.out.shape[0], conv.out.shape[1], conv.out.shape[2]), a(conv) {}
  Square<ConstView> source(std::int64_t tile) const {
    return {a.in, image(tile), first_row(tile) - a.pad_top, first_col(tile) - a.pad_left, 6};
  }
  Square<View> target(std::int64_t tile) const {
    return {a.out, image(tile), first_row(tile), first_col(tile), 4};
  }
};

/// Products of `rows` tiles and `width` outputs: frequency f of them lies at data + f * step.
struct Products {
  float* data;
  std::int64_t pitch, step;

  Products(float* memory, std::int64_t rows, std::int64_t width)
      : data(memory), pitch(padded_pitch(width)), step(frequency_step_of(rows, pitch)) {}
  static std::int64_t size(std::int64_t rows, std::int64_t width) {
    return kFrequencies * frequency_step_of(rows, padded_pitch(width));
  }
};

/// Writes the pixels of tiles [t0, t0 + count), outputs [first, first + outputs).
void write_tiles(const Tiles& tiles, std::int64_t t0, std::int64_t count, std::int64_t first,
                 std::int64_t outputs, const Products& products) {
  const bool stream = streams(tiles.a.out);
  for (std::int64_t t = 0; t < count; ++t) {
    const float* from = products.data + t * products.pitch;
    if (stream)
      write_tile<true>(tiles.a, tiles.target(t0 + t), first, outputs, from, products.step);
    else
      write_tile<false>(tiles.a, tiles.target(t0 + t), first, outputs, from, products.step);
  }
}

/// A task is a batch of tiles and all outputs. The weights are transformed first, once for all.
void by_tiles(KernelContext& context, const Tiles& tiles) {
  const WinogradConv& a = tiles.a;
  const std::int64_t depth = a.in.channels(), outputs = a.out.channels();
  const std::int64_t batch = tiles_per_task(tiles.count, context.threads);
  const std::int64_t width = std::min(kOutputs, round_up(outputs, kLine));
  const std::int64_t blocks = ceil_div(outputs, width);

  const std::int64_t in_block = round_up(depth, kLine), in_pitch = padded_pitch(depth);
  const std::int64_t in_size = Panels::size(depth, batch, in_block, in_pitch);
  const std::int64_t scratch_size = in_size + Products::size(batch, width);
  const std::int64_t weights_step = frequency_step_of(depth, width);
  const std::int64_t weights_size = kFrequencies * weights_step;
  auto* weights = static_cast<float*>(context.workspace.reserve(
      static_cast<std::size_t>(blocks * weights_size + context.threads * scratch_size) *
      sizeof(float)));
  float* scratch = weights + blocks * weights_size;

  const std::int64_t slices = ceil_div(depth, kSlice);
  parallel_for(context, blocks * slices, [&](std::int64_t task) HWY_ATTR {
    const std::int64_t block = task / slices, c0 = task % slices * kSlice, first = block * width;
    transform_weights(a, first, std::min(width, outputs - first), c0, std::min(kSlice, depth - c0),
                      weights + block * weights_size + c0 * width, weights_step, width);
  });

  parallel_for(context, ceil_div(tiles.count, batch), [&](std::int64_t task) HWY_ATTR {
    const std::int64_t t0 = task * batch, count = std::min(batch, tiles.count - t0);
    const Panels in(scratch + thread_number() * scratch_size, batch, in_block, in_pitch);
    const Products products(in.data + in_size, batch, width);
    for (std::int64_t t = 0; t < count; ++t)
      transform_square<InputMatrix>(tiles.source(t0 + t), in, t);
    for (std::int64_t first = 0; first < outputs; first += width) {
      const std::int64_t here = std::min(width, outputs - first);
      for (std::int64_t f = 0; f < kFrequencies; ++f)
        gemm({.a = in.data + f * in.frequency_step,
              .a_row = in_pitch,
              .a_depth = 1,
              .b = weights + first / width * weights_size + f * weights_step,
              .b_depth = width,
              .c = products.data + f * products.step,
              .c_row = products.pitch,
              .rows = count,
              .columns = round_up(here, kLanes),
              .depth = depth,
              .accumulate = false});
      write_tiles(tiles, t0, count, first, here, products);
    }
  });
}

/// All tiles are transformed first; a task is a block of outputs, whose weights it transforms a
/// slice of channels at a time, so that they never leave the cache.
void by_outputs(KernelContext& context, const Tiles& tiles) {
  const WinogradConv& a = tiles.a;
  const std::int64_t depth = a.in.channels(), outputs = a.out.channels();
  const std::int64_t width = std::max(2 * kLanes, kLine);
  const std::int64_t pitch = padded_pitch(kSlice);
  const std::int64_t in_size = Panels::size(depth, tiles.count, kSlice, pitch);
  const std::int64_t weights_step = frequency_step_of(kSlice, width);
  const std::int64_t scratch_size =
      kFrequencies * weights_step + Products::size(tiles.count, width);
  auto* memory = static_cast<float*>(context.workspace.reserve(
      static_cast<std::size_t>(in_size + context.threads * scratch_size) * sizeof(float)));
  const Panels in(memory, tiles.count, kSlice, pitch);
  float* scratch = memory + in_size;

  constexpr std::int64_t kGroup = 4;
  parallel_for(context, ceil_div(tiles.count, kGroup), [&](std::int64_t task) HWY_ATTR {
    for (std::int64_t t = task * kGroup; t < std::min(tiles.count, (task + 1) * kGroup); ++t)
      transform_square<InputMatrix>(tiles.source(t), in, t);
  });

  parallel_for(context, ceil_div(outputs, width), [&](std::int64_t task) HWY_ATTR {
    const std::int64_t first = task * width, here = std::min(width, outputs - first);
    float* weights = scratch + thread_number() * scratch_size;
    const Products products(weights + kFrequencies * weights_step, tiles.count, width);
    for (std::int64_t c0 = 0; c0 < depth; c0 += kSlice) {
      const std::int64_t channels = std::min(kSlice, depth - c0);
      transform_weights(a, first, here, c0, channels, weights, weights_step, width);
      for (std::int64_t f = 0; f < kFrequencies; ++f)
        gemm({.a = in.at(0, c0) + f * in.frequency_step,
              .a_row = pitch,
              .a_depth = 1,
              .b = weights + f * weights_step,
              .b_depth = width,
              .c = products.data + f * products.step,
              .c_row = products.pitch,
              .rows = tiles.count,
              .columns = round_up(here, kLanes),
              .depth = channels,
              .accumulate = c0 > 0});
    }
    write_tiles(tiles, 0, tiles.count, first, here, products);
  });
}

void winograd_conv(KernelContext& context, const WinogradConv& a) {
  const Tiles tiles(a);
  if (tiles.count == 0) return;
  if (takes_outputs(a.in.channels(), a.out.channels(), tiles.count))
    by_outputs(context, tiles);
  else
    by_tiles(context, tiles);
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::cpu {
HWY_EXPORT(winograd_conv);

void winograd_forward(KernelContext& context, const ConvGeometry& g, const ConstView& x,
                      const ConstView& w, const ConstView& b, const View& y) {
  HWY_DYNAMIC_DISPATCH(winograd_conv)
  (context, WinogradConv{x, w, b, y, g.pad_top, g.pad_left, false, Write::overwrite});
}

void winograd_dgrad(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                    const ConstView& w, const View& dx, Write write) {
  HWY_DYNAMIC_DISPATCH(winograd_conv)
  (context, WinogradConv{dy, w, {}, dx, 2 - g.pad_top, 2 - g.pad_left, true, write});
}

}  // namespace glia::cpu
#endif
