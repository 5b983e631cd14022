#include "kernels/cuda/conv/conv_choice.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "engine/base/divide.h"

namespace glia {

namespace {

constexpr std::int64_t kMaxPartialBytes = std::int64_t{128} << 20;

constexpr int kMostSplits = 128;

// As MmaTile::others, where operands in bf16 are copied element by element.
constexpr double kOthersByElement = 36;

// A narrower tile reads its operands from L2 more often, which the model below does not count: it
// must gain more than that.
constexpr double kWorthNarrowing = 0.95;

/// Partial results are written and read at 12 bytes a cycle and multiprocessor.
double merge_cycles(const GemmShape& shape, int splits, int multiprocessors) {
  if (splits == 1) return 0;
  const double bytes = 4.0 * static_cast<double>(shape.rows * shape.columns) * (2 * splits + 1);
  return 5000 + bytes / (12.0 * multiprocessors);
}

/// A model, not a measurement; only comparisons of its results matter. A slice costs each warp 1024
/// multiply-adds, 80 loads of 16 bytes a lane from shared memory (as SASS has them), and about 12
/// instructions for each copy and 120 around them. A multiprocessor issues four instructions a
/// cycle, less when few warps hide each other's latencies, and its shared memory takes four cycles
/// for such a load or copy: the slower of the two counts.
double estimated_cycles(const GemmShape& shape, const GemmTile& tile, int splits,
                        int multiprocessors) {
  const std::int64_t slices = ceil_div(ceil_div(shape.depth, kGemmSlice), splits);
  const std::int64_t blocks =
      ceil_div(shape.rows, tile.rows) * ceil_div(shape.columns, tile.columns) * splits;
  const std::int64_t on_busiest = ceil_div(blocks, multiprocessors);
  const auto resident = static_cast<double>(std::min<std::int64_t>(on_busiest, tile.resident));

  const double warps = tile.threads() / 32.0;
  const double copies = 4.0 * (tile.rows + tile.columns) / tile.threads();
  const double issue = (1024 + 80 + 120 + 12 * copies) / 4, shared = 4 * (80 + copies);
  const double slice_cycles = warps * std::max(issue, shared);
  const double hidden = warps * resident / (warps * resident + 2);
  const double start_and_end = 3000 / resident;
  return static_cast<double>(on_busiest) *
             (static_cast<double>(slices) * slice_cycles / hidden + start_and_end) +
         merge_cycles(shape, splits, multiprocessors);
}

int mma_slice(ConvPrecision precision) {
  return kMmaSliceBytes / (precision == ConvPrecision::bf16 ? 2 : 4);
}

/// And on tensor cores, likewise a model. A step of depth 8, in bf16 of 16, costs a block: an mma
/// each 6.36 cycles a quarter of the multiprocessor (of 512 dense multiply-adds a cycle in tf32,
/// and 1024 in bf16, mma.sync reaches 63 %);
/// reads of fragments and copies through shared memory's 128 bytes a cycle; copies from L2 at 34
/// bytes a cycle; an instruction a cycle and quarter. They overlap, but not perfectly: their
/// 4-norm.
double step_cycles(const MmaTile& tile, double others, double copied) {
  constexpr double kMma = 6.36, kShared = 128, kL2 = 34;
  const double mmas = tile.rows / 16 * (tile.columns / 8);
  const double read = 512.0 * tile.warps() * (tile.warp_rows / 16 + tile.warp_columns / 16);
  const auto power = [](double cycles) { return cycles * cycles * cycles * cycles; };
  return std::sqrt(std::sqrt(power(mmas * kMma / 4) + power((read + copied) / kShared) +
                             power(copied / kL2) + power(mmas * (1 + others) / 4)));
}

/// Of blocks that take so many steps each.
double block_cycles(const GemmShape& shape, const MmaTile& tile, std::int64_t steps, double step,
                    int splits, int multiprocessors) {
  const std::int64_t blocks =
      ceil_div(shape.rows, tile.rows) * ceil_div(shape.columns, tile.columns) * splits;
  const std::int64_t on_busiest = ceil_div(blocks, multiprocessors);
  const auto resident = static_cast<double>(std::min<std::int64_t>(on_busiest, tile.resident));
  // How far a block's own warps must hide the waits at its barriers.
  const double alone = resident >= 2 ? 1 : tile.warps() < 12 ? 1.25 : 1.05;
  const double start_and_end = 2500 / resident + 600 * tile.rows * tile.columns / (128.0 * 128);
  return static_cast<double>(on_busiest) *
             (static_cast<double>(steps) * step * alone + start_and_end) +
         merge_cycles(shape, splits, multiprocessors);
}

double estimated_cycles(const GemmShape& shape, const MmaTile& tile, double others, int slice,
                        int splits, int multiprocessors) {
  const double step = step_cycles(tile, others, 32.0 * (tile.rows + tile.columns));
  const std::int64_t slices = ceil_div(ceil_div(shape.depth, slice), splits);
  return block_cycles(shape, tile, slices * (kMmaSliceBytes / 32), step, splits, multiprocessors);
}

/// And of conv_halo.h, whose pixels are copied once for nine taps, with the edges of patches.
double estimated_halo_cycles(const GemmShape& shape, const MmaTile& tile, double others, int slice,
                             int splits, int multiprocessors) {
  constexpr int kSteps = kHaloTaps * kHaloTaps * kMmaSliceBytes / 32;  // of a chunk
  constexpr double kPatchBytes =
      (kHaloRows + kHaloTaps - 1.0) * (kHaloColumns + kHaloTaps - 1) * kMmaSliceBytes;
  const double step = step_cycles(tile, others, 32.0 * tile.columns + kPatchBytes / kSteps);
  const std::int64_t chunks = ceil_div(ceil_div(shape.depth, slice), splits);
  return block_cycles(shape, tile, chunks * kSteps, step, splits, multiprocessors);
}

/// And of conv_wgrad_halo.h, which copies a patch of either operand once for nine taps.
double estimated_halo_wgrad_cycles(const GemmShape& shape, const MmaTile& tile, int splits,
                                   int multiprocessors) {
  constexpr double kPixels = kWgradPatchRows * kHaloColumns +
                             (kWgradPatchRows + kHaloTaps - 1.0) * (kHaloColumns + kHaloTaps - 1);
  const double step =
      step_cycles(tile, tile.others_bf16, kPixels * kMmaSliceBytes / kWgradPatchRows);
  const std::int64_t patches =
      ceil_div(ceil_div(shape.depth, kWgradPatchRows * kHaloColumns), splits);
  return block_cycles(shape, tile, patches * kWgradPatchRows, step, splits, multiprocessors);
}

/// And of conv_shallow.h: a warp issues about a thousand other instructions for its 80 mma.
double estimated_shallow_cycles(const GemmShape& shape, const MmaTile& tile, int multiprocessors) {
  constexpr int kSteps = (kHaloTaps * kHaloTaps + 1) / 2;
  constexpr double kOthers = 13, kTapBytes = 2 * kShallowChannels;
  const double step = step_cycles(tile, kOthers, 2 * kTapBytes * tile.columns);
  return block_cycles(shape, tile, kSteps, step, 1, multiprocessors);
}

/// Of tiles and splits those that cycles(tile, splits) says are fastest, within what is imposed and
/// the bytes of partial results.
template <class Cycles>
GemmChoice fastest(const ConvOverride& imposed, const GemmShape& shape, int tiles, int slice,
                   int most_splits, const Cycles& cycles) {
  const std::int64_t slices = ceil_div(shape.depth, slice);
  GemmChoice best{.tile = -1};
  double fewest = -1;
  for (int tile = 0; tile < tiles; ++tile) {
    if (imposed.tile >= 0 && tile != imposed.tile) continue;
    for (int splits : {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512}) {
      const bool worth = splits <= std::min<std::int64_t>(most_splits, slices / 8) &&
                         splits * shape.rows * shape.columns * 4 <= kMaxPartialBytes;
      if (splits > 1 && !worth) break;
      const double found = cycles(tile, splits);
      const double needed = tile == best.tile ? fewest : kWorthNarrowing * fewest;
      if (fewest >= 0 && found >= needed) continue;
      fewest = found;
      best = {tile, splits, found};
    }
  }
  if (imposed.splits > 0) {
    best.splits = imposed.splits;
    best.cycles = cycles(best.tile, best.splits);
  }
  return best;
}

}  // namespace

bool suits_tensor_cores(const ConvGeometry& g) {
  return std::min(g.C, g.K) >= 8 && g.C % 4 == 0 && g.K % 4 == 0;
}

namespace {

bool has_block_memory(const KernelContext& context, std::int64_t bytes) {
  return context.block_memory == 0 || bytes <= context.block_memory;
}

/// Where it fits and, unless it is imposed, where the model says that it is faster.
bool takes_halo(const KernelContext& context, ConvPass pass, const ConvGeometry& g) {
  const ConvAlgorithm wanted = context.gpu_conv.algorithm;
  const std::int64_t least =
      pass == ConvPass::wgrad ? wgrad_halo_bytes() : halo_bytes(kMmaTiles[kHaloTiles[1]]);
  if (!has_block_memory(context, least)) return false;
  if (wanted == ConvAlgorithm::mma || !fits_halo(context.precision, pass, g)) return false;
  if (context.precision == ConvPrecision::tf32 && !suits_tensor_cores(g)) return false;
  if (wanted == ConvAlgorithm::halo) return true;
  const bool pieces = g.C % (mma_slice(context.precision) / 8) == 0;
  const GemmShape shape = pass == ConvPass::forward ? forward_shape(g)
                          : pass == ConvPass::wgrad ? wgrad_shape(g)
                                                    : dgrad_shape(g, dgrad_parts(g).front());
  return choose_halo(context, pass, halo_shape(g, pass), pieces).cycles <
         choose_mma(context, shape, pieces).cycles;
}

}  // namespace

ConvAlgorithm choose_algorithm(const KernelContext& context, ConvPass pass, const ConvGeometry& g) {
  const ConvAlgorithm wanted = context.gpu_conv.algorithm;
  const bool shuffle = pass == ConvPass::dgrad && windows_tile_input(g);
  if (wanted == ConvAlgorithm::naive || std::max(g.R, g.S) > kMaxTaps) return ConvAlgorithm::naive;
  if (wanted == ConvAlgorithm::tiled) return wanted;
  if (takes_halo(context, pass, g)) return ConvAlgorithm::halo;
  if (context.precision == ConvPrecision::bf16 ||
      (context.precision == ConvPrecision::tf32 && suits_tensor_cores(g)))
    return shuffle ? ConvAlgorithm::shuffled_mma : ConvAlgorithm::mma;
  return shuffle ? ConvAlgorithm::shuffled : ConvAlgorithm::tiled;
}

bool reads_map(const KernelContext& context, ConvPass pass, const ConvGeometry& g) {
  return pass != ConvPass::dgrad && g.C > kShallowChannels &&
         choose_algorithm(context, pass, g) == ConvAlgorithm::halo;
}

bool conv_reads_map(const KernelContext& context, const KernelInfo& kernel, const ConvGeometry& g) {
  return kernel.op == std::string_view("conv2d") &&
         reads_map(context, pass_of(kernel.op, kernel.phase), g);
}

bool is_shuffled(ConvAlgorithm algorithm) {
  return algorithm == ConvAlgorithm::shuffled || algorithm == ConvAlgorithm::shuffled_mma;
}

bool is_on_tensor_cores(ConvAlgorithm algorithm) {
  return algorithm == ConvAlgorithm::mma || algorithm == ConvAlgorithm::shuffled_mma ||
         algorithm == ConvAlgorithm::halo;
}

ConvPass pass_of(std::string_view op, Phase phase) {
  if (phase == Phase::wgrad) return ConvPass::wgrad;
  const bool transposed = op == "conv_transpose2d";
  return (phase == Phase::forward) != transposed ? ConvPass::forward : ConvPass::dgrad;
}

const char* conv_algorithm(const KernelContext& context, const KernelInfo& kernel,
                           const ConvGeometry& g) {
  const bool bf16 = context.precision == ConvPrecision::bf16;
  switch (choose_algorithm(context, pass_of(kernel.op, kernel.phase), g)) {
    case ConvAlgorithm::naive: return "naive";
    case ConvAlgorithm::shuffled: return "shuffled";
    case ConvAlgorithm::mma: return bf16 ? "mma-bf16" : "mma-tf32";
    case ConvAlgorithm::shuffled_mma: return bf16 ? "shuffled-mma-bf16" : "shuffled-mma-tf32";
    case ConvAlgorithm::halo: return bf16 ? "halo-bf16" : "halo-tf32";
    default: return "tiled";
  }
}

bool windows_tile_input(const ConvGeometry& g) {
  return g.R == g.stride_h && g.S == g.stride_w && g.pad_top == 0 && g.pad_left == 0 &&
         g.H == g.P * g.R && g.W == g.Q * g.S;
}

std::vector<DgradPart> dgrad_parts(const ConvGeometry& g) {
  std::vector<DgradPart> parts;
  for (std::int64_t h = 0; h < std::min(g.stride_h, g.H); ++h)
    for (std::int64_t w = 0; w < std::min(g.stride_w, g.W); ++w) {
      DgradPart part{.first_h = h,
                     .first_w = w,
                     .rows = ceil_div(g.H - h, g.stride_h),
                     .columns = ceil_div(g.W - w, g.stride_w)};
      // h + pad = p * stride + r: the same r, modulo the stride, for all pixels of the part.
      const std::int64_t r = (h + g.pad_top) % g.stride_h, s = (w + g.pad_left) % g.stride_w;
      if (r < g.R && s < g.S) {
        part.taps_h = (g.R - 1 - r) / g.stride_h + 1;
        part.taps_w = (g.S - 1 - s) / g.stride_w + 1;
        part.last_r = r + (part.taps_h - 1) * g.stride_h;
        part.last_s = s + (part.taps_w - 1) * g.stride_w;
        part.offset_h = (h + g.pad_top - part.last_r) / g.stride_h;
        part.offset_w = (w + g.pad_left - part.last_s) / g.stride_w;
      }
      parts.push_back(part);
    }
  return parts;
}

GemmChoice choose_gemm(const KernelContext& context, const GemmShape& shape) {
  const int multiprocessors = std::max(1, context.multiprocessors);
  ConvOverride imposed = context.gpu_conv;
  if (imposed.tile >= kGemmTileCount) imposed.tile = -1;
  return fastest(imposed, shape, kGemmTileCount, kGemmSlice, kMostSplits,
                 [&](int tile, int splits) {
                   return estimated_cycles(shape, kGemmTiles[tile], splits, multiprocessors);
                 });
}

GemmChoice choose_mma(const KernelContext& context, const GemmShape& shape, bool pieces) {
  const int multiprocessors = std::max(1, context.multiprocessors);
  const bool bf16 = context.precision == ConvPrecision::bf16;
  const int slice = mma_slice(context.precision);
  ConvOverride imposed = context.gpu_conv;
  if (imposed.tile >= kMmaTileCount) imposed.tile = -1;
  if (!pieces) imposed.tile = kMmaTileCount - 1;
  // Elements that come one by one are waited for, which only other blocks hide.
  const int most_splits = bf16 && !pieces ? 4 * kMostSplits : kMostSplits;
  return fastest(imposed, shape, kMmaTileCount, slice, most_splits, [&](int tile, int splits) {
    const MmaTile& t = kMmaTiles[tile];
    const double others = !bf16 ? t.others : pieces ? t.others_bf16 : kOthersByElement;
    return estimated_cycles(shape, t, others, slice, splits, multiprocessors);
  });
}

GemmChoice choose_halo(const KernelContext& context, ConvPass pass, const GemmShape& shape,
                       bool pieces) {
  const int multiprocessors = std::max(1, context.multiprocessors);
  const int slice = mma_slice(context.precision);
  const bool bf16 = context.precision == ConvPrecision::bf16;
  ConvOverride imposed = context.gpu_conv;
  if (pass == ConvPass::wgrad) {
    imposed.tile = kHaloWgradTile;
    return fastest(
        imposed, shape, kHaloWgradTile + 1, slice, kMostSplits, [&](int tile, int splits) {
          return estimated_halo_wgrad_cycles(shape, kMmaTiles[tile], splits, multiprocessors);
        });
  }
  if (shape.depth <= kShallowChannels)
    return {kHaloTiles[1], 1,
            estimated_shallow_cycles(shape, kMmaTiles[kHaloTiles[1]], multiprocessors)};
  const bool has = imposed.tile == kHaloTiles[0] || imposed.tile == kHaloTiles[1];
  if (!has) imposed.tile = -1;
  if (!pieces || !has_block_memory(context, halo_bytes(kMmaTiles[kHaloTiles[0]])))
    imposed.tile = kHaloTiles[1];
  return fastest(imposed, shape, kMmaTileCount, slice, kMostSplits, [&](int tile, int splits) {
    if (tile != kHaloTiles[0] && tile != kHaloTiles[1]) return HUGE_VAL;
    MmaTile t = kMmaTiles[tile];
    t.resident = 2;
    const double others =
        pieces ? kHaloOthers[tile == kHaloTiles[0] ? 0 : 1][bf16 ? 1 : 0] : kOthersByElement;
    return estimated_halo_cycles(shape, t, others, slice, splits, multiprocessors);
  });
}

bool fits_halo(ConvPrecision precision, ConvPass pass, const ConvGeometry& g) {
  const bool bf16 = precision == ConvPrecision::bf16;
  if (!bf16 && precision != ConvPrecision::tf32) return false;
  if (g.R != kHaloTaps || g.S != kHaloTaps || g.stride_h != 1 || g.stride_w != 1) return false;
  const int chunk = mma_slice(precision);
  const bool c = g.C > 0 && g.C % chunk == 0, k = g.K > 0 && g.K % chunk == 0;
  switch (pass) {
    case ConvPass::forward: return c || (bf16 && g.C > 0 && g.C <= kShallowChannels);
    case ConvPass::dgrad: return k;
    case ConvPass::wgrad: return bf16 && c && k;
  }
  return false;
}

GemmShape halo_shape(const ConvGeometry& g, ConvPass pass) {
  if (pass == ConvPass::wgrad) {
    const std::int64_t patches = g.N * ceil_div(g.P, kWgradPatchRows) * ceil_div(g.Q, kHaloColumns);
    return {g.K, kHaloTaps * kHaloTaps * g.C, patches * kWgradPatchRows * kHaloColumns};
  }
  const bool forward = pass == ConvPass::forward;
  const std::int64_t patches =
      g.N * ceil_div(forward ? g.P : g.H, kHaloRows) * ceil_div(forward ? g.Q : g.W, kHaloColumns);
  return {patches * kHaloRows * kHaloColumns, forward ? g.K : g.C, forward ? g.C : g.K};
}

GemmShape forward_shape(const ConvGeometry& g) {
  return {g.N * g.P * g.Q, g.K, g.R * g.S * g.C};
}
GemmShape dgrad_shape(const ConvGeometry& g, const DgradPart& part) {
  return {g.N * part.rows * part.columns, g.C, part.taps_h * part.taps_w * g.K};
}
GemmShape shuffled_shape(const ConvGeometry& g) {
  return {g.N * g.P * g.Q, g.R * g.S * g.C, g.K};
}
GemmShape wgrad_shape(const ConvGeometry& g) {
  return {g.K, g.R * g.S * g.C, g.N * g.P * g.Q};
}

ConvForecast forecast(const KernelContext& context, ConvPass pass, const ConvGeometry& g) {
  ConvForecast expected{.algorithm = choose_algorithm(context, pass, g)};
  if (expected.algorithm == ConvAlgorithm::naive) return expected;
  const bool mma = is_on_tensor_cores(expected.algorithm);
  const int piece = mma_slice(context.precision) / 8;
  const bool pieces = g.C % piece == 0 && (pass == ConvPass::forward || g.K % piece == 0);
  const auto add = [&](GemmShape shape) {
    // Tiles without tensor cores are taller than wide, and so is that product (conv_wgrad.cu).
    if (pass == ConvPass::wgrad && !mma) std::swap(shape.rows, shape.columns);
    const GemmChoice choice = expected.algorithm == ConvAlgorithm::halo
                                  ? choose_halo(context, pass, shape, pieces)
                              : mma ? choose_mma(context, shape, pieces)
                                    : choose_gemm(context, shape);
    expected.rows = mma ? kMmaTiles[choice.tile].rows : kGemmTiles[choice.tile].rows;
    expected.columns = mma ? kMmaTiles[choice.tile].columns : kGemmTiles[choice.tile].columns;
    expected.splits = choice.splits;
    expected.blocks += ceil_div(shape.rows, expected.rows) *
                       ceil_div(shape.columns, expected.columns) * choice.splits;
    expected.cycles += choice.cycles;
  };
  if (expected.algorithm == ConvAlgorithm::halo)
    add(halo_shape(g, pass));
  else if (pass == ConvPass::forward)
    add(forward_shape(g));
  else if (pass == ConvPass::wgrad)
    add(wgrad_shape(g));
  else if (is_shuffled(expected.algorithm))
    add(shuffled_shape(g));
  else
    for (const DgradPart& part : dgrad_parts(g)) add(dgrad_shape(g, part));
  return expected;
}

bool in_pieces(const ConstView& view) {
  const std::int64_t piece = 16 / static_cast<std::int64_t>(size_of(view.dtype));
  return view.channels() % piece == 0 && view.pitch % piece == 0 &&
         reinterpret_cast<std::uintptr_t>(view.data) % 16 == 0;
}

}  // namespace glia
