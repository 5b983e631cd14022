// Forward and dgrad in bf16, of the same problems as tap_conv.cpp.
//
// Work mapping: the image is cut into tiles of output rows. What a tile reads is packed with a zero
// halo; a product's left operand is then 16 pixels of a row x 32 channels, in place. Weights are
// packed once a call, [part][32 outputs][slice of channels][run][32 channels] in tiles. A task is a
// tile and all outputs; where there are many weights, all tiles are packed first and a task is 32
// outputs and all tiles, so that the weights pass through the caches once. Tiles and slices are a
// function of the geometry alone, and so are all sums.
#include "kernels/cpu/conv/bf16_conv.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/conv/bf16_unit.h"
#include "kernels/cpu/conv/input_rows.h"
#include "kernels/cpu/moments.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/streams.h"

namespace glia::cpu {

namespace {

constexpr std::int64_t kPackedBytes = 512 << 10;  // of a tile: a part of the L2 cache
constexpr std::int64_t kManyWeights = 512 << 10;  // bytes, from which tasks are outputs
constexpr std::int64_t kMinTiles = 64;            // what the division into tiles aims at
constexpr std::int64_t kSliceTiles = 18;          // tiles of weights that stay in the L1 cache

/// A part of the problem, as runs of channels.
struct Part {
  const TapPart& taps;
  std::int64_t merged = 1;  // taps a run
  std::int64_t steps = 0;   // of a run, each 32 channels deep
  std::vector<std::int64_t> runs{};
  std::int64_t weights_first = 0, block_size = 0;
  std::int64_t groups = 0;  // of 16 pixels, a row

  std::int64_t slice_size(std::int64_t slice_steps) const {
    return static_cast<std::int64_t>(runs.size()) * slice_steps * 2 * kTileSize;
  }
};

/// How a problem is divided, and how its packed operands lie.
struct Bf16Plan {
  const TapConv& a;
  InputRows input;
  std::int64_t depth, outputs, blocks, pixel, padded;
  std::vector<Part> parts;
  std::int64_t slice_steps = 0;  // 32 channels each, that are multiplied before the next ones are
  std::int64_t slices = 1, weights_size = 0;
  std::int64_t tile, tiles, tile_size, groups = 0;  // of 16 pixels in a tile of a part
  bool by_outputs, stream;

  explicit Bf16Plan(const TapConv& problem)
      : a(problem),
        input(problem.parts, problem.in, problem.in_step_h, problem.in_step_w, false),
        depth(problem.in.channels()),
        outputs(problem.out.channels()),
        blocks(ceil_div(outputs, kTileBlock)) {
    choose_runs();
    choose_tiles();
    by_outputs =
        weights_size * static_cast<std::int64_t>(sizeof(Bf16)) >= kManyWeights && blocks >= 4;
    stream = problem.write == Write::overwrite && streams(problem.out);
  }

  /// Steps of a run of `part` that belong to a slice.
  std::int64_t steps_of(const Part& part, std::int64_t slice) const {
    return slices == 1 ? part.steps : std::min(slice_steps, part.steps - slice * slice_steps);
  }

  std::int64_t size_of(std::int64_t rows) const {
    // Groups of pixels are read whole, and runs to the end of a step.
    const std::int64_t behind = (kTileRows * a.in_step_w + 4) * pixel + 2 * kTileDepth;
    return round_up(input.input_rows(rows) * input.width() * pixel + behind, 32);
  }

 private:
  void choose_runs() {
    // Few channels are padded to pairs, and taps side by side are one run; more are padded to whole
    // steps. Whichever is the shorter sum.
    const std::int64_t few = round_up(depth, 2), many = round_up(depth, kTileDepth);
    std::int64_t merged_depth = 0, single_depth = 0;
    for (const TapPart& taps : a.parts) {
      const auto count = static_cast<std::int64_t>(taps.taps.size());
      const std::int64_t side = std::max<std::int64_t>(1, taps.neighbours());
      merged_depth += count / side * round_up(side * few, kTileDepth);
      single_depth += count * many;
    }
    const bool merge = merged_depth < single_depth;
    padded = merge ? few : many;
    // An odd number of lines, so that pixels do not meet in the same cache sets.
    pixel = merge ? few : many + (many / kTileDepth % 2 == 0 ? kTileDepth : 0);
    std::int64_t longest = 1;
    for (const TapPart& taps : a.parts) {
      Part part{.taps = taps};
      part.merged = merge ? std::max<std::int64_t>(1, taps.neighbours()) : 1;
      part.steps = round_up(part.merged * padded, kTileDepth) / kTileDepth;
      for (std::size_t t = 0; t < taps.taps.size(); t += static_cast<std::size_t>(part.merged))
        part.runs.push_back(input.offset(taps.taps[t], 0, 0, pixel));
      part.groups = ceil_div(taps.cols, kTileRows);
      longest = std::max(longest, static_cast<std::int64_t>(part.runs.size()));
      parts.push_back(std::move(part));
    }
    const std::int64_t all_steps = many / kTileDepth;
    slice_steps = all_steps;
    if (!merge && longest * all_steps > 2 * kSliceTiles)
      slice_steps = std::max<std::int64_t>(1, kSliceTiles / longest);
    slices = merge ? 1 : ceil_div(all_steps, slice_steps);
    for (Part& part : parts) {
      part.block_size = static_cast<std::int64_t>(part.runs.size()) * part.steps * 2 * kTileSize;
      part.weights_first = weights_size;
      weights_size += blocks * part.block_size;
    }
  }

  void choose_tiles() {
    const std::int64_t rows = input.rows(), row = input.width() * pixel * 2;
    const std::int64_t halo = input.input_rows(1) - a.in_step_h;
    const std::int64_t fits = (kPackedBytes / std::max<std::int64_t>(1, row) - halo) / a.in_step_h;
    const std::int64_t balanced =
        std::max<std::int64_t>(4, round_up(ceil_div(rows * a.in.shape[0], kMinTiles), 2));
    tile = std::max<std::int64_t>(1, std::min({fits, balanced, rows}));
    tiles = ceil_div(rows, tile);
    tile_size = size_of(tile);
    for (const Part& part : parts) groups = std::max(groups, part.groups * tile);
  }
};

/// Memory of a call, in this order; all of it is aligned to lines.
struct Memory {
  std::int64_t weights, packed, bias, moments, sums;  // bytes

  Memory(const Bf16Plan& plan, bool with_moments, int threads) {
    const std::int64_t images = plan.a.in.shape[0];
    weights = plan.weights_size * 2;
    packed = plan.tile_size * 2 * (plan.by_outputs ? images * plan.tiles : threads);
    bias = plan.blocks * kTileBlock * 4;
    moments = with_moments ? images * plan.tiles * 3 * plan.blocks * kTileBlock * 4 : 0;
    sums = threads * sums_of_thread(plan) * 4;
  }
  static std::int64_t sums_of_thread(const Bf16Plan& plan) {
    return plan.slices == 1 ? kTileSums : ceil_div(plan.groups, 2) * kTileSums;
  }
  std::size_t bytes() const {
    return static_cast<std::size_t>(weights + packed + bias + moments + sums);
  }
};

class Conv {
 public:
  Conv(KernelContext& context, const Bf16Plan& plan, const View& moments)
      : context_(context),
        plan_(plan),
        a_(plan.a),
        moments_to_(moments),
        unit_(bf16_unit(context.bf16)) {}

  void run() {
    const Memory memory(plan_, static_cast<bool>(moments_to_), context_.threads);
    auto* base = static_cast<char*>(context_.workspace.reserve(memory.bytes()));
    if (context_.dry_run) return;
    weights_ = reinterpret_cast<Bf16*>(base);
    packed_ = reinterpret_cast<Bf16*>(base += memory.weights);
    bias_ = reinterpret_cast<float*>(base += memory.packed);
    moments_ = reinterpret_cast<float*>(base += memory.bias);
    sums_ = reinterpret_cast<float*>(base + memory.moments);

    for (std::int64_t k = 0; k < plan_.blocks * kTileBlock; ++k)
      bias_[k] = a_.bias && k < plan_.outputs ? a_.bias.as<float>()[k] : 0.0f;
    const auto parts = static_cast<std::int64_t>(plan_.parts.size());
    parallel_for(context_, parts * plan_.blocks, [&](std::int64_t task) {
      pack_weights(plan_.parts[static_cast<std::size_t>(task / plan_.blocks)], task % plan_.blocks);
    });

    const std::int64_t all_tiles = a_.in.shape[0] * plan_.tiles;
    if (plan_.by_outputs) {
      parallel_for(context_, all_tiles,
                   [&](std::int64_t tile) { pack_rows(tile, packed_ + tile * plan_.tile_size); });
      parallel_for(context_, plan_.blocks, [&](std::int64_t block) {
        unit_.begin();
        for (std::int64_t tile = 0; tile < all_tiles; ++tile)
          for (const Part& part : plan_.parts)
            compute(part, tile, block, packed_ + tile * plan_.tile_size);
        unit_.end();
      });
    } else {
      parallel_for(context_, all_tiles, [&](std::int64_t tile) {
        Bf16* packed = packed_ + thread_number() * plan_.tile_size;
        pack_rows(tile, packed);
        unit_.begin();
        for (const Part& part : plan_.parts)
          for (std::int64_t block = 0; block < plan_.blocks; ++block)
            compute(part, tile, block, packed);
        unit_.end();
      });
    }
    if (moments_to_) {
      const TapPart& all = plan_.parts.front().taps;
      const auto pixels = [&](std::int64_t tile) {
        const std::int64_t i0 = tile % plan_.tiles * plan_.tile;
        return static_cast<double>(std::min(plan_.tile, all.rows - i0) * all.cols);
      };
      merge_moments(context_, moments_, plan_.blocks * kTileBlock, all_tiles, pixels, moments_to_);
    }
  }

 private:
  /// All weights of 32 outputs of a part.
  void pack_weights(const Part& part, std::int64_t block) const {
    const std::int64_t C = a_.w.shape[3], positions = a_.w.shape[1] * a_.w.shape[2];
    const std::int64_t first = block * kTileBlock;
    Bf16Weights task{.from = nullptr,
                     .depth = 0,
                     .outputs = std::min(kTileBlock, plan_.outputs - first),
                     .depth_stride = a_.w_reduces_k ? positions * C : 1,
                     .output_stride = a_.w_reduces_k ? 1 : positions * C,
                     .to = weights_ + part.weights_first + block * part.block_size,
                     .first = 0};
    std::fill_n(task.to, part.block_size, Bf16{0});
    for (std::int64_t slice = 0; slice < plan_.slices; ++slice) {
      const std::int64_t c0 = slice * plan_.slice_steps * kTileDepth;
      const std::int64_t steps = plan_.steps_of(part, slice);
      task.depth = plan_.slices == 1 ? plan_.depth : std::min(steps * kTileDepth, plan_.depth - c0);
      for (std::size_t run = 0; run < part.runs.size(); ++run) {
        for (std::int64_t t = 0; t < part.merged; ++t) {
          const Tap& tap =
              part.taps
                  .taps[run * static_cast<std::size_t>(part.merged) + static_cast<std::size_t>(t)];
          task.from = a_.w.as<float>() + tap.position * C + c0 * task.depth_stride +
                      first * task.output_stride;
          task.first = t * plan_.padded;
          unit_.pack_weights(task);
        }
        task.to += steps * 2 * kTileSize;
      }
    }
  }

  /// What a tile reads, with zeros around the image.
  void pack_rows(std::int64_t tile, Bf16* to) const {
    const std::int64_t n = tile / plan_.tiles, i0 = tile % plan_.tiles * plan_.tile;
    const std::int64_t rows = std::min(plan_.tile, plan_.input.rows() - i0);
    const std::int64_t height = a_.in.shape[1], width = a_.in.shape[2], pixel = plan_.pixel;
    const std::int64_t across = plan_.input.width(), first = plan_.input.first_col();
    const std::int64_t left = std::clamp<std::int64_t>(-first, 0, across);
    const std::int64_t right = std::clamp<std::int64_t>(width - first, left, across);
    for (std::int64_t row = 0; row < plan_.input.input_rows(rows); ++row, to += across * pixel) {
      const std::int64_t h = plan_.input.first_row(i0) + row;
      if (h < 0 || h >= height || left == right) {
        std::fill_n(to, across * pixel, Bf16{0});
        continue;
      }
      std::fill_n(to, left * pixel, Bf16{0});
      std::fill_n(to + right * pixel, (across - right) * pixel, Bf16{0});
      unit_.pack_pixels(
          {.from = a_.in.as<float>() + ((n * height + h) * width + left + first) * a_.in.pitch,
           .pitch = a_.in.pitch,
           .pixels = right - left,
           .channels = plan_.depth,
           .map = Bf16Map::of(a_.in_map),
           .to = to + left * pixel,
           .pixel = pixel,
           .padded = plan_.padded});
    }
    std::fill_n(to, 2 * kTileDepth, Bf16{0});  // a run's last step, times weights that are 0
  }

  /// 32 outputs of all pixels of a part in a tile.
  void compute(const Part& part, std::int64_t tile, std::int64_t block, const Bf16* packed) const {
    const std::int64_t i0 = tile % plan_.tiles * plan_.tile;
    const std::int64_t rows = std::min(plan_.tile, part.taps.rows - i0);
    const std::int64_t groups = std::max<std::int64_t>(0, rows) * part.groups;
    const Bf16* weights = weights_ + part.weights_first + block * part.block_size;
    float* sums = sums_ + thread_number() * Memory::sums_of_thread(plan_);
    const std::int64_t outputs = std::min(kTileBlock, plan_.outputs - block * kTileBlock);
    for (std::int64_t slice = 0; slice < plan_.slices; ++slice) {
      const std::int64_t steps = plan_.steps_of(part, slice);
      const std::int64_t c0 = slice * plan_.slice_steps * kTileDepth;
      for (std::int64_t group = 0; group < groups; group += 2) {
        const bool pair = group + 1 < groups;
        float* to = plan_.slices == 1 ? sums : sums + group / 2 * kTileSums;
        const Bf16* left = packed + first_pixel(part, group) + c0;
        unit_.multiply({.a = {left, pair ? packed + first_pixel(part, group + 1) + c0 : left},
                        .a_row = a_.in_step_w * plan_.pixel,
                        .runs = part.runs.data(),
                        .run_count = static_cast<std::int64_t>(part.runs.size()),
                        .run_steps = steps,
                        .b = weights,
                        .b_step = 2 * kTileSize,
                        .b_tile = kTileSize,
                        .a_tiles = pair ? 2 : 1,
                        .b_tiles = outputs > 16 ? 2 : 1,
                        .sums = to,
                        .accumulate = slice > 0});
        if (slice + 1 < plan_.slices) continue;
        write(part, tile, block, group, to);
        if (pair) write(part, tile, block, group + 1, to + kTileRows * kTileBlock);
      }
      weights += part.slice_size(steps);
    }
  }

  /// Where the pixels that output group `group` of a tile reads begin.
  std::int64_t first_pixel(const Part& part, std::int64_t group) const {
    const std::int64_t i = group / part.groups, j = group % part.groups * kTileRows;
    return (i * a_.in_step_h * plan_.input.width() + j * a_.in_step_w) * plan_.pixel;
  }

  void write(const Part& part, std::int64_t tile, std::int64_t block, std::int64_t group,
             const float* sums) const {
    const std::int64_t n = tile / plan_.tiles, i0 = tile % plan_.tiles * plan_.tile;
    const std::int64_t i = group / part.groups, j = group % part.groups * kTileRows;
    const std::int64_t row =
        (n * a_.out.shape[1] + part.taps.first_h + (i0 + i) * a_.out_step_h) * a_.out.shape[2] +
        part.taps.first_w + j * a_.out_step_w;
    const std::int64_t step = plan_.blocks * kTileBlock;
    unit_.write({.sums = sums,
                 .pixels = std::min(kTileRows, part.taps.cols - j),
                 .outputs = std::min(kTileBlock, plan_.outputs - block * kTileBlock),
                 .bias = bias_ + block * kTileBlock,
                 .out = a_.out.as<float>() + row * a_.out.pitch + block * kTileBlock,
                 .out_step = a_.out_step_w * a_.out.pitch,
                 .accumulate = a_.write == Write::accumulate,
                 .stream = plan_.stream,
                 .moments = moments_to_ ? moments_ + tile * 3 * step + block * kTileBlock : nullptr,
                 .moments_step = step,
                 .fresh = group == 0});
  }

  KernelContext& context_;
  const Bf16Plan& plan_;
  const TapConv& a_;
  const View& moments_to_;
  const Bf16Unit& unit_;
  Bf16 *weights_ = nullptr, *packed_ = nullptr;
  float *bias_ = nullptr, *moments_ = nullptr, *sums_ = nullptr;
};

}  // namespace

void bf16_tap_conv(KernelContext& context, const TapConv& problem, const View& moments) {
  const Bf16Plan plan(problem);
  if (plan.input.rows() == 0 || problem.in.shape[0] == 0) return;
  Conv(context, plan, moments).run();
}

}  // namespace glia::cpu
