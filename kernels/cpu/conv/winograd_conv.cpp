// Winograd's forward pass; dgrad is the same with the weights flipped and their channels exchanged.
//
// Work mapping: the transformed weights are made once a call, [output block][frequency][channel]
// [output]. A task is a few tiles: it transforms their pixels, [frequency][tile][channel], then for
// each block of outputs multiplies frequency by frequency and transforms the products back. Both
// buffers are of a size that the L2 cache holds, up to some 128 channels; the weights are streamed,
// and each product fetches what the next one reads, as the L3 cache is far. Sums run over all
// channels in one go, so their order depends on nothing.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/conv/winograd_conv.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <vector>

#include "kernels/cpu/conv/winograd.h"
#include "kernels/cpu/conv/winograd_output-inl.h"
#include "kernels/cpu/conv/winograd_tiles.h"
#include "kernels/cpu/conv/winograd_weights-inl.h"
#include "kernels/cpu/moments.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

constexpr std::int64_t kOutputs = std::max(kBlock, kLine);          // a block of them
constexpr std::int64_t kSlice = 128;                                // channels
constexpr std::int64_t kCacheFloats = (std::int64_t{1} << 20) / 4;  // half of a large L2 cache

/// Sums of all batches of tiles for the moments; no memory where none are wanted.
struct AllSums {
  const Tiles& tiles;
  std::int64_t batch, step;
  float* data = nullptr;

  AllSums(const Tiles& of, std::int64_t batch_)
      : tiles(of), batch(batch_), step(round_up(of.a.out.channels(), kLine)) {}
  std::int64_t size() const {
    return tiles.a.moments ? ceil_div(tiles.count, batch) * 3 * step : 0;
  }
  BatchSums of_batch(std::int64_t i) const {
    return tiles.a.moments ? BatchSums{data + i * 3 * step, step} : BatchSums{};
  }
  void finish(KernelContext& context) const {
    if (!tiles.a.moments) return;
    const std::int64_t batches = ceil_div(tiles.count, batch);
    std::vector<double> pixels;
    for (std::int64_t i = 0; i < batches; ++i)
      pixels.push_back(
          static_cast<double>(tiles.pixels(i * batch, std::min(tiles.count, (i + 1) * batch))));
    merge_moments(
        context, data, step, batches,
        [&](std::int64_t i) { return pixels[static_cast<std::size_t>(i)]; }, tiles.a.moments);
  }
};

/// A task is a batch of tiles and all outputs. The weights are transformed first, once for all.
void by_tiles(KernelContext& context, const Tiles& tiles) {
  const WinogradConv& a = tiles.a;
  const std::int64_t depth = a.in.channels(), outputs = a.out.channels();
  const std::int64_t batch = tiles_per_task(tiles.count);
  AllSums sums(tiles, batch);
  const std::int64_t width = std::min(kOutputs, round_up(outputs, kLine));
  const std::int64_t blocks = ceil_div(outputs, width);

  const std::int64_t in_block = round_up(depth, kLine), in_pitch = padded_pitch(depth);
  const std::int64_t in_size = Panels::size(depth, batch, in_block, in_pitch);
  const bool fits = in_size <= kCacheFloats;
  const std::int64_t scratch_size = in_size + Products::size(batch, width);
  const std::int64_t weights_step = frequency_step_of(depth, width);
  const std::int64_t weights_size = kFrequencies * weights_step;
  auto* weights = context.workspace.array<float>(blocks * weights_size + sums.size() +
                                                 context.threads * scratch_size);
  if (context.dry_run) return;
  sums.data = weights + blocks * weights_size;
  float* scratch = sums.data + sums.size();

  const MapRows map(a.in_map);
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
      transform_square<InputMatrix>(tiles.source(t0 + t), map, in, t);
    for (std::int64_t first = 0; first < outputs; first += width) {
      const std::int64_t here = std::min(width, outputs - first);
      for (std::int64_t f = 0; f < kFrequencies; ++f) {
        const float* panel = weights + first / width * weights_size + f * weights_step;
        gemm({.a = in.data + f * in.frequency_step,
              .a_row = in_pitch,
              .a_depth = 1,
              .b = panel,
              .b_depth = width,
              .c = products.data + f * products.step,
              .c_row = products.pitch,
              .rows = count,
              .columns = round_up(here, kLanes),
              .depth = depth,
              .accumulate = false,
              .ahead_a = {in.data + (f + 1) % kFrequencies * in.frequency_step,
                          fits ? 0 : count * in_pitch, count, depth},
              .ahead_b = {panel + weights_step, depth * width, count, depth}});
      }
      write_tiles(tiles, t0, count, first, here, products, sums.of_batch(task));
    }
  });
  sums.finish(context);
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
  AllSums sums(tiles, tiles_per_task(tiles.count));
  auto* memory =
      context.workspace.array<float>(in_size + sums.size() + context.threads * scratch_size);
  if (context.dry_run) return;
  const Panels in(memory, tiles.count, kSlice, pitch);
  sums.data = memory + in_size;
  float* scratch = sums.data + sums.size();
  const MapRows map(a.in_map);

  constexpr std::int64_t kGroup = 4;
  parallel_for(context, ceil_div(tiles.count, kGroup), [&](std::int64_t task) HWY_ATTR {
    for (std::int64_t t = task * kGroup; t < std::min(tiles.count, (task + 1) * kGroup); ++t)
      transform_square<InputMatrix>(tiles.source(t), map, in, t);
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
              .accumulate = c0 > 0,
              .ahead_a = {in.at(0, c0) + (f + 1) * in.frequency_step, tiles.count * pitch,
                          tiles.count, channels}});
    }
    for (std::int64_t t0 = 0; t0 < tiles.count; t0 += sums.batch)
      write_tiles(tiles, t0, std::min(sums.batch, tiles.count - t0), first, here,
                  products.from_row(t0), sums.of_batch(t0 / sums.batch));
  });
  sums.finish(context);
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

void winograd_forward(KernelContext& context, const Conv2dForward& a) {
  const ConvGeometry& g = a.geometry;
  HWY_DYNAMIC_DISPATCH(winograd_conv)
  (context,
   {a.x, a.x_map, a.w, a.b, a.y, a.moments, g.pad_top, g.pad_left, false, Write::overwrite});
}

void winograd_dgrad(KernelContext& context, const Conv2dDgrad& a) {
  const ConvGeometry& g = a.geometry;
  HWY_DYNAMIC_DISPATCH(winograd_conv)
  (context, {a.dy, {}, a.w, {}, a.dx, {}, 2 - g.pad_top, 2 - g.pad_left, true, a.write});
}

}  // namespace glia::cpu
#endif
