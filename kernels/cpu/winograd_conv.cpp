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

/// Transforms the weights of outputs [first, first + count), count <= kBlock, and of channels
/// [c0, c0 + channels): element (f, c, k) goes to to[f * frequency_step + c * pitch + k], zeros
/// behind the last output.
void transform_weights(const WinogradConv& a, std::int64_t first, std::int64_t count,
                       std::int64_t c0, std::int64_t channels, float* to,
                       std::int64_t frequency_step, std::int64_t pitch, bool stream) {
  constexpr std::int64_t kStrip = 16;
  const Floats d;
  const std::int64_t C = a.w.shape[3];
  const std::int64_t depth_step = a.dgrad ? 9 * C : 1, output_step = a.dgrad ? 1 : 9 * C;
  for (std::int64_t k = 0; k < count; k += kLanes) {
    const std::int64_t rest = std::min(kLanes, count - k);
    for (std::int64_t c = 0; c < channels; c += kStrip) {
      // The strip's outputs side by side, so that they make vectors.
      const std::int64_t strip = std::min(kStrip, channels - c);
      HWY_ALIGN float taps[9][kStrip * kLanes];
      for (std::int64_t tap = 0; tap < 9; ++tap) {
        const float* from = a.w.as<float>() + (a.dgrad ? 8 - tap : tap) * C +
                            (c0 + c) * depth_step + (first + k) * output_step;
        for (std::int64_t l = 0; l < kLanes; ++l)
          for (std::int64_t i = 0; i < strip; ++i)
            taps[tap][i * kLanes + l] = l < rest ? from[i * depth_step + l * output_step] : 0.0f;
      }
      for (std::int64_t i = 0; i < strip; ++i) {
        float* place = to + (c + i) * pitch + k;
        transform<WeightMatrix>([&](int r, int s)
                                    HWY_ATTR { return hn::Load(d, taps[r * 3 + s] + i * kLanes); },
                                [&](int r, int s, FloatVec v) HWY_ATTR {
                                  float* y = place + (r * 6 + s) * frequency_step;
                                  if (stream)
                                    hn::Stream(v, d, y);
                                  else
                                    hn::Store(v, d, y);
                                });
      }
    }
  }
  if (stream) hwy::FlushStream();
}

/// Transforms the products of a tile back and writes its pixels, outputs [first, first + count).
HWY_INLINE void write_tile(const WinogradConv& a, const Square<View>& square, std::int64_t first,
                           std::int64_t count, const float* products, std::int64_t frequency_step) {
  const Floats d;
  for (std::int64_t k = 0; k < count; k += kLanes) {
    const std::int64_t rest = count - k;
    const FloatVec bias = a.bias ? load_some(d, a.bias.as<float>() + first + k, rest) : hn::Zero(d);
    const auto load = [&](int i, int j) HWY_ATTR {
      return hn::Load(d, products + (i * 6 + j) * frequency_step + k);
    };
    if (square.inside && rest >= kLanes && a.write == Write::overwrite) {
      transform<OutputMatrix>(load, [&](int i, int j, FloatVec v) HWY_ATTR {
        float* y = square.at(i, j, first + k);
        hn::StoreU(hn::Add(v, bias), d, y);
      });
      continue;
    }
    transform<OutputMatrix>(load, [&](int i, int j, FloatVec v) HWY_ATTR {
      if (!square.has(i, j)) return;
      write_some(d, hn::Add(v, bias), square.at(i, j, first + k), rest,
                 a.write == Write::accumulate);
    });
  }
}

void winograd_conv(KernelContext& context, const WinogradConv& a) {
  const WinogradTiles tiles(a.out.shape[0], a.out.shape[1], a.out.shape[2]);
  const std::int64_t depth = a.in.channels(), outputs = a.out.channels();
  if (tiles.count == 0) return;
  const std::int64_t batch = tiles_per_task(depth, tiles.count, context.threads);
  const std::int64_t blocks = ceil_div(outputs, kBlock);
  const std::int64_t width = std::min(kBlock, round_up(outputs, kLanes));

  const std::int64_t in_block = round_up(depth, 16), in_pitch = padded_pitch(depth);
  const std::int64_t in_size = Panels::size(depth, batch, in_block, in_pitch);
  const std::int64_t out_pitch = padded_pitch(width);
  const std::int64_t out_step = frequency_step_of(batch, out_pitch);
  const std::int64_t weights_step = frequency_step_of(depth, width);
  const std::int64_t weights_size = kFrequencies * weights_step;
  const std::int64_t scratch_size = in_size + kFrequencies * out_step;
  auto* weights = static_cast<float*>(context.workspace.reserve(
      static_cast<std::size_t>(blocks * weights_size + context.threads * scratch_size) *
      sizeof(float)));
  float* scratch = weights + blocks * weights_size;

  constexpr std::int64_t kSlice = 64;
  const std::int64_t slices = ceil_div(depth, kSlice);
  // Past the caches, which they would only flush: that pays where a vector is a whole cache line.
  constexpr std::int64_t kLarge = (std::int64_t{8} << 20) / 4;
  const bool stream_weights = kLanes == 16 && blocks * weights_size >= kLarge;
  parallel_for(context, blocks * slices, [&](std::int64_t task) HWY_ATTR {
    const std::int64_t block = task / slices, c0 = task % slices * kSlice;
    const std::int64_t first = block * kBlock;
    transform_weights(a, first, std::min(width, outputs - first), c0, std::min(kSlice, depth - c0),
                      weights + block * weights_size + c0 * width, weights_step, width,
                      stream_weights);
  });

  parallel_for(context, ceil_div(tiles.count, batch), [&](std::int64_t task) HWY_ATTR {
    const std::int64_t t0 = task * batch, count = std::min(batch, tiles.count - t0);
    const Panels in(scratch + thread_number() * scratch_size, batch, in_block, in_pitch);
    float* out = in.data + in_size;
    for (std::int64_t t = 0; t < count; ++t)
      transform_square<InputMatrix>({a.in, tiles.image(t0 + t), tiles.first_row(t0 + t) - a.pad_top,
                                     tiles.first_col(t0 + t) - a.pad_left, 6},
                                    in, t);
    for (std::int64_t block = 0; block < blocks; ++block) {
      const std::int64_t first = block * kBlock;
      const std::int64_t here = std::min(width, outputs - first);
      for (std::int64_t f = 0; f < kFrequencies; ++f)
        gemm({.a = in.data + f * in.frequency_step,
              .a_row = in_pitch,
              .a_depth = 1,
              .b = weights + block * weights_size + f * weights_step,
              .b_depth = width,
              .c = out + f * out_step,
              .c_row = out_pitch,
              .rows = count,
              .columns = round_up(here, kLanes),
              .depth = depth,
              .accumulate = false});
      for (std::int64_t t = 0; t < count; ++t) {
        const Square<View> square(a.out, tiles.image(t0 + t), tiles.first_row(t0 + t),
                                  tiles.first_col(t0 + t), 4);
        write_tile(a, square, first, here, out + t * out_pitch, out_step);
      }
    }
  });
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
