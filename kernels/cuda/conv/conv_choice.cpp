#include "kernels/cuda/conv/conv_choice.h"

#include <algorithm>
#include <string_view>

#include "engine/base/divide.h"

namespace glia {

namespace {

constexpr std::int64_t kMaxPartialBytes = std::int64_t{128} << 20;

// A narrower tile reads its operands from L2 more often, which the model below does not count: it
// must gain more than that.
constexpr double kWorthNarrowing = 0.95;

/// A model, not a measurement; only comparisons of its results matter. A slice costs each warp 1024
/// multiply-adds, 80 loads of 16 bytes a lane from shared memory (as SASS has them), and about 12
/// instructions for each copy and 120 around them. A multiprocessor issues four instructions a
/// cycle, less when few warps hide each other's latencies, and its shared memory takes four cycles
/// for such a load or copy: the slower of the two counts. Partial results are written and read at
/// 12 bytes a cycle and multiprocessor.
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
  double cycles = static_cast<double>(on_busiest) *
                  (static_cast<double>(slices) * slice_cycles / hidden + start_and_end);
  if (splits > 1) {
    const double bytes = 4.0 * static_cast<double>(shape.rows * shape.columns) * (2 * splits + 1);
    cycles += 5000 + bytes / (12.0 * multiprocessors);
  }
  return cycles;
}

}  // namespace

ConvOverride& conv_override() {
  static ConvOverride instance;
  return instance;
}

ConvAlgorithm choose_algorithm(ConvPass pass, const ConvGeometry& g) {
  const ConvAlgorithm wanted = conv_override().algorithm;
  const bool can_shuffle = pass == ConvPass::dgrad && windows_tile_input(g);
  if (wanted == ConvAlgorithm::naive || wanted == ConvAlgorithm::tiled) return wanted;
  return can_shuffle ? ConvAlgorithm::shuffled : ConvAlgorithm::tiled;
}

const char* conv_algorithm(const KernelContext&, const KernelInfo& kernel, const ConvGeometry& g) {
  // A transposed convolution's backward-data is a forward pass, and the other way round.
  const bool transposed = kernel.op == std::string_view("conv_transpose2d");
  const ConvPass pass = kernel.phase == Phase::wgrad                     ? ConvPass::wgrad
                        : (kernel.phase == Phase::forward) != transposed ? ConvPass::forward
                                                                         : ConvPass::dgrad;
  switch (choose_algorithm(pass, g)) {
    case ConvAlgorithm::naive: return "naive";
    case ConvAlgorithm::shuffled: return "shuffled";
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

GemmChoice choose_gemm(const GemmShape& shape, int multiprocessors) {
  const ConvOverride& forced = conv_override();
  const std::int64_t slices = ceil_div(shape.depth, kGemmSlice);
  GemmChoice best{.tile = -1};
  double fewest = -1;
  for (int tile = 0; tile < kGemmTileCount; ++tile) {
    if (forced.tile >= 0 && tile != forced.tile) continue;
    for (int splits : {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128}) {
      const bool worth =
          splits <= slices / 8 && splits * shape.rows * shape.columns * 4 <= kMaxPartialBytes;
      if (splits > 1 && !worth) break;
      const double cycles =
          estimated_cycles(shape, kGemmTiles[tile], splits, std::max(1, multiprocessors));
      const double needed = tile == best.tile ? fewest : kWorthNarrowing * fewest;
      if (fewest >= 0 && cycles >= needed) continue;
      fewest = cycles;
      best = {tile, splits};
    }
  }
  if (forced.splits > 0) best.splits = forced.splits;
  return best;
}

bool in_fours(const ConstView& view) {
  return view.channels() % 4 == 0 && view.pitch % 4 == 0 &&
         reinterpret_cast<std::uintptr_t>(view.data) % 16 == 0;
}

}  // namespace glia
