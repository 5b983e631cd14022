// Work mapping: a task is a tile of output rows of one image. It packs the input rows it needs with
// a zero halo, so that the inner loop has no bounds to check; then a micro-kernel keeps kPixels x
// kVectors accumulators in registers over all taps and channels. Weights are packed once a call as
// [part][output block][channel block][tap][channel][output], so that the micro-kernel streams them.
// The order of summation of an output does not depend on the tiling.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/conv/tap_conv.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <vector>

#include "kernels/cpu/conv/input_rows-inl.h"
#include "kernels/cpu/conv/tap_conv.h"
#include "kernels/cpu/map-inl.h"
#include "kernels/cpu/moment_sums-inl.h"
#include "kernels/cpu/moments.h"
#include "kernels/cpu/streams.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

constexpr int kPixels = 6;

/// What the micro-kernel reads and writes for one group of pixels.
struct Group {
  const float* const* runs;  // where the first pixel of each run of channels lies
  std::int64_t run_count, run_length, pixel_step;
  const float* weights;  // [run][channel][kBlock]
  const float* bias;     // [kBlock]
  float* out;
  std::int64_t out_step;
  std::int64_t outputs;  // of this block that exist
  bool accumulate;       // adds to what `out` holds
  bool stream;           // writes past the caches
  float* sums;           // for the moments, or null
  std::int64_t sums_step;
  bool fresh;  // the first of its sums
};

template <int kP, int kV>
HWY_INLINE void micro(const Group& g) {
  const Floats d;
  FloatVec acc[kP][kV];
#pragma GCC unroll 8
  for (int p = 0; p < kP; ++p)
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) acc[p][v] = hn::Zero(d);

  const float* HWY_RESTRICT w = g.weights;
  for (std::int64_t t = 0; t < g.run_count; ++t) {
    const float* HWY_RESTRICT x = g.runs[t];
    for (std::int64_t c = 0; c < g.run_length; ++c) {
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
      w += kBlock;
    }
  }

#pragma GCC unroll 8
  for (int v = 0; v < kV; ++v) {
    const FloatVec bias = hn::Load(d, g.bias + v * kLanes);
#pragma GCC unroll 8
    for (int p = 0; p < kP; ++p) acc[p][v] = hn::Add(acc[p][v], bias);
    if (g.sums != nullptr) {
      MomentSums sums(g.sums + v * kLanes, g.sums_step, g.fresh);
#pragma GCC unroll 8
      for (int p = 0; p < kP; ++p) sums.add(acc[p][v], p == 0);
      sums.keep(g.sums + v * kLanes, g.sums_step);
    }
  }
  const bool whole = g.outputs >= kV * kLanes && !g.accumulate;
#pragma GCC unroll 8
  for (int p = 0; p < kP; ++p) {
    float* out = g.out + p * g.out_step;
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) {
      if (!whole)
        write_some(d, acc[p][v], out + v * kLanes, g.outputs - v * kLanes, g.accumulate);
      else if (g.stream)
        hn::Stream(acc[p][v], d, out + v * kLanes);
      else
        hn::StoreU(acc[p][v], d, out + v * kLanes);
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

/// Packs the weights of one output block of a part: all channel blocks, taps and channels of it.
void pack_weights(const TapConv& a, const TapPart& part, std::int64_t block,
                  std::int64_t depth_block, float* packed) {
  const std::int64_t K = a.w.shape[0], positions = a.w.shape[1] * a.w.shape[2], C = a.w.shape[3];
  const std::int64_t depth = a.w_reduces_k ? K : C, outputs = a.w_reduces_k ? C : K;
  const std::int64_t first = block * kBlock, count = std::min(kBlock, outputs - first);
  const std::int64_t depth_stride = a.w_reduces_k ? positions * C : 1;
  const std::int64_t output_stride = a.w_reduces_k ? 1 : positions * C;
  for (std::int64_t c0 = 0; c0 < depth; c0 += depth_block) {
    const std::int64_t channels = std::min(depth_block, depth - c0);
    for (const Tap& tap : part.taps) {
      const float* w =
          a.w.as<float>() + tap.position * C + c0 * depth_stride + first * output_stride;
      if (a.w_reduces_k) {  // outputs lie side by side already
        for (std::int64_t c = 0; c < channels; ++c)
          std::fill_n(std::copy_n(w + c * depth_stride, count, packed + c * kBlock), kBlock - count,
                      0.0f);
        packed += channels * kBlock;
        continue;
      }
      // Tiles of 16 channels keep the cache lines of a strided read until all of them were used.
      for (std::int64_t c16 = 0; c16 < channels; c16 += 16)
        for (std::int64_t k = 0; k < kBlock; ++k)
          for (std::int64_t c = c16; c < std::min(channels, c16 + 16); ++c)
            packed[c * kBlock + k] = k < count ? w[c + k * output_stride] : 0.0f;
      packed += channels * kBlock;
    }
  }
}

/// The bias of one output block, zeros after the last output and where there is none.
void pack_bias(const ConstView& bias, std::int64_t first, std::int64_t outputs, float* packed) {
  for (std::int64_t k = 0; k < kBlock; ++k)
    packed[k] = bias && first + k < outputs ? bias.as<float>()[first + k] : 0.0f;
}

/// How a problem is divided, and where its packed operands lie.
struct TapPlan {
  const TapConv& a;
  InputRows input;
  std::int64_t depth, outputs, blocks, rows, depth_block, tile, tiles;
  std::vector<std::int64_t> weights_first;  // of each part
  std::int64_t weights_size = 0, scratch_size;
  std::int64_t sums_step = round_up(outputs, kBlock);
  bool stream;

  TapPlan(const TapConv& problem, int threads)
      : a(problem),
        input(problem.parts, problem.in, problem.in_step_h, problem.in_step_w, !problem.in_map),
        depth(problem.in.channels()),
        outputs(problem.out.channels()),
        blocks(ceil_div(outputs, kBlock)),
        rows(input.rows()),
        depth_block(input.fits(depth) ? depth : std::min<std::int64_t>(depth, 128)),
        tile(input.tile_rows(depth_block, problem.in.shape[0], threads)),
        tiles(ceil_div(rows, tile)),
        scratch_size(round_up(input.size(tile, depth_block), 16)),
        stream(depth_block == depth && streams(problem.out)) {
    for (const TapPart& part : problem.parts) {
      weights_first.push_back(weights_size);
      weights_size += blocks * depth * static_cast<std::int64_t>(part.taps.size()) * kBlock;
    }
  }
};

/// Some rows of pixels of an image, and a slice of its channels: `x` are the input rows, packed.
struct TapTask {
  std::int64_t image, first_row, rows, first_channel, channels;
  const float* x;
};

/// What all tasks read, and the sums of moments that they write (null: none).
struct TapMemory {
  const float *weights, *bias, *zero_bias;
  float* sums;
};

/// All pixels of the task's rows that belong to part `index`.
void tap_part(const TapPlan& plan, std::size_t index, const TapTask& task,
              const TapMemory& memory) {
  const TapConv& a = plan.a;
  const TapPart& part = a.parts[index];
  const auto [n, i0, rows, c0, channels, x] = task;
  const float* weights = memory.weights + plan.weights_first[index];
  const std::int64_t pixel = plan.input.pixel(channels);
  // Without gaps between pixels, taps that are neighbours in a row read one run of channels.
  const auto taps = static_cast<std::int64_t>(part.taps.size());
  const std::int64_t merged = pixel == channels ? part.neighbours() : 1;
  std::vector<const float*> runs(static_cast<std::size_t>(taps / merged));
  const std::int64_t block_size = plan.depth * taps * kBlock;
  for (std::int64_t b = 0; b < plan.blocks; ++b)
    for (std::int64_t i = 0; i < std::min(rows, part.rows - i0); ++i)
      for (std::int64_t j = 0; j < part.cols; j += kPixels) {
        for (std::int64_t t = 0; t < taps; t += merged)
          runs[static_cast<std::size_t>(t / merged)] =
              x + plan.input.offset(part.taps[static_cast<std::size_t>(t)], i, j, pixel);
        const std::int64_t row =
            (n * a.out.shape[1] + part.first_h + (i0 + i) * a.out_step_h) * a.out.shape[2] +
            part.first_w + j * a.out_step_w;
        micro_any(
            {.runs = runs.data(),
             .run_count = taps / merged,
             .run_length = channels * merged,
             .pixel_step = a.in_step_w * pixel,
             .weights = weights + b * block_size + c0 * taps * kBlock,
             .bias = c0 == 0 ? memory.bias + b * kBlock : memory.zero_bias,
             .out = a.out.as<float>() + row * a.out.pitch + b * kBlock,
             .out_step = a.out_step_w * a.out.pitch,
             .outputs = std::min(kBlock, plan.outputs - b * kBlock),
             .accumulate = c0 > 0 || a.write == Write::accumulate,
             .stream = plan.stream,
             .sums = memory.sums
                         ? memory.sums + (n * plan.rows + i0 + i) * 3 * plan.sums_step + b * kBlock
                         : nullptr,
             .sums_step = plan.sums_step,
             .fresh = j == 0},
            static_cast<int>(std::min<std::int64_t>(kPixels, part.cols - j)));
      }
}

bool tap_conv(KernelContext& context, const TapConv& a, const View& moments) {
  const std::int64_t images = a.in.shape[0];
  const TapPlan plan(a, context.threads);
  if (plan.rows == 0 || images == 0) return false;
  const bool summed = moments && plan.depth_block == plan.depth;

  const std::int64_t bias_size = (plan.blocks + 1) * kBlock;
  // A part of the moments' sums is a row of pixels, whatever the number of threads.
  const std::int64_t sums_size = summed ? images * plan.rows * 3 * plan.sums_step : 0;
  auto* weights = context.workspace.array<float>(plan.weights_size + bias_size + sums_size +
                                                 context.threads * plan.scratch_size);
  if (context.dry_run) return summed;
  const MapRows map(a.in_map);
  float* bias = weights + plan.weights_size;
  float* sums = summed ? bias + bias_size : nullptr;
  float* scratch = bias + bias_size + sums_size;
  const TapMemory memory{weights, bias, bias + plan.blocks * kBlock, sums};
  for (std::int64_t b = 0; b <= plan.blocks; ++b)
    pack_bias(a.bias, b * kBlock, plan.outputs, bias + b * kBlock);
  const auto parts = static_cast<std::int64_t>(a.parts.size());
  parallel_for(context, parts * plan.blocks, [&](std::int64_t task) HWY_ATTR {
    const auto part = static_cast<std::size_t>(task / plan.blocks);
    const std::int64_t block = task % plan.blocks;
    const auto taps = static_cast<std::int64_t>(a.parts[part].taps.size());
    pack_weights(a, a.parts[part], block, plan.depth_block,
                 weights + plan.weights_first[part] + block * plan.depth * taps * kBlock);
  });

  parallel_for(context, images * plan.tiles, [&](std::int64_t task) HWY_ATTR {
    const std::int64_t n = task / plan.tiles, i0 = task % plan.tiles * plan.tile;
    const std::int64_t rows = std::min(plan.tile, plan.rows - i0);
    for (std::int64_t c0 = 0; c0 < plan.depth || c0 == 0; c0 += plan.depth_block) {
      const std::int64_t channels = std::min(plan.depth_block, plan.depth - c0);
      const float* x = read_rows(plan.input, map, n, i0, rows, c0, channels,
                                 scratch + thread_number() * plan.scratch_size);
      for (std::size_t part = 0; part < a.parts.size(); ++part)
        tap_part(plan, part, {n, i0, rows, c0, channels, x}, memory);
    }
  });
  if (summed) {
    const auto cols = static_cast<double>(a.parts.front().cols);
    merge_moments(
        context, sums, plan.sums_step, images * plan.rows, [=](std::int64_t) { return cols; },
        moments);
  }
  return summed;
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::cpu {
HWY_EXPORT(tap_conv);
bool tap_conv(KernelContext& context, const TapConv& problem, const View& moments) {
  return HWY_DYNAMIC_DISPATCH(tap_conv)(context, problem, moments);
}
}  // namespace glia::cpu
#endif
