// Winograd's backward-weights: the gradient of one tile's products with respect to the weights, so
// the forward pass's matrices transposed. For each of the 36 frequencies the transformed pixels of
// x and dy are multiplied and summed over all tiles; only the sums are transformed back.
//
// Work mapping, by shares: a task is a fixed share of the tiles, a few at a time, so that their
// transforms stay in the L2 cache, and has sums of its own; shares are added in order. By blocks:
// all tiles are transformed first, and a task is a block of outputs x inputs with all its sums.
// That is for many channels and few tiles, where sums of a share's own would be larger than the
// tiles.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/winograd_wgrad.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/cpu/kernels.h"
#include "kernels/cpu/winograd-inl.h"
#include "kernels/cpu/winograd.h"
#include "kernels/cpu/winograd_tiles.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

struct WinogradWgrad {
  const ConvGeometry& g;
  ConstView dy, x;
  MapRows map;
  View dw;
  Write write;
  WinogradTiles tiles{g.N, g.P, g.Q};
};

// Outputs and inputs that are multiplied at a time.
constexpr std::int64_t kRowBlock = 48, kColumns = std::max(kBlock, kLine);

/// Transformed tiles of both operands.
struct Transformed {
  Panels x, dy;

  static std::int64_t size(const WinogradWgrad& a, std::int64_t tiles) {
    return x_size(a, tiles) + Panels::size(a.g.K, tiles, kRowBlock, kRowBlock);
  }
  Transformed(const WinogradWgrad& a, std::int64_t tiles, float* memory)
      : x(memory, tiles, kColumns, kColumns),
        dy(memory + x_size(a, tiles), tiles, kRowBlock, kRowBlock) {}

 private:
  static std::int64_t x_size(const WinogradWgrad& a, std::int64_t tiles) {
    return Panels::size(a.g.C, tiles, kColumns, kColumns);
  }
};

/// Transforms tile `tile` into row `row`.
void transform_tile(const WinogradWgrad& a, std::int64_t tile, std::int64_t row,
                    const Transformed& to) {
  const std::int64_t n = a.tiles.image(tile);
  const std::int64_t p = a.tiles.first_row(tile), q = a.tiles.first_col(tile);
  transform_square<InputMatrix>({a.x, n, p - a.g.pad_top, q - a.g.pad_left, 6}, a.map, to.x, row);
  transform_square<OutputMatrixTransposed>({a.dy, n, p, q, 4}, MapRows({}), to.dy, row);
}

/// Sums of frequency f: element (k, c) lies at data[f * step + k * pitch + c].
struct Sums {
  float* data;
  std::int64_t step, pitch;
};

/// sums (+)= products over `tiles` of one block of outputs, from k0 on, and one of inputs, from c0
/// on; `sums` begins at their first.
void multiply(const WinogradWgrad& a, const Transformed& from, std::int64_t tiles, std::int64_t k0,
              std::int64_t c0, const Sums& sums, bool accumulate) {
  for (std::int64_t f = 0; f < kFrequencies; ++f)
    gemm({.a = from.dy.at(0, k0) + f * from.dy.frequency_step,
          .a_row = 1,
          .a_depth = kRowBlock,
          .b = from.x.at(0, c0) + f * from.x.frequency_step,
          .b_depth = kColumns,
          .c = sums.data + f * sums.step,
          .c_row = sums.pitch,
          .rows = std::min(kRowBlock, a.g.K - k0),
          .columns = round_up(std::min(kColumns, a.g.C - c0), kLanes),
          .depth = tiles,
          .accumulate = accumulate});
}

/// dw (+)= the sums of all shares, `share_step` apart, transformed back; for outputs [k0, k0 +
/// rows) and inputs [c0, c0 + columns).
void finish(const WinogradWgrad& a, std::int64_t k0, std::int64_t rows, std::int64_t c0,
            std::int64_t columns, const Sums& sums, std::int64_t shares, std::int64_t share_step) {
  const Floats d;
  for (std::int64_t k = 0; k < rows; ++k)
    for (std::int64_t c = 0; c < columns; c += kLine) {
      const float* from = sums.data + k * sums.pitch + c;
      float* to = a.dw.as<float>() + (k0 + k) * 9 * a.g.C + c0 + c;
      const std::int64_t rest = columns - c;
      transform<WeightMatrixTransposed>(
          [&](int i, int j, int v) HWY_ATTR {
            const float* share = from + (i * 6 + j) * sums.step + v * kLanes;
            FloatVec sum = hn::Load(d, share);
            for (std::int64_t s = 1; s < shares; ++s)
              sum = hn::Add(sum, hn::Load(d, share + s * share_step));
            return sum;
          },
          [&](int r, int s, int v, FloatVec x) HWY_ATTR {
            if (rest > v * kLanes)
              write_some(d, x, to + (r * 3 + s) * a.g.C + v * kLanes, rest - v * kLanes,
                         a.write == Write::accumulate);
          });
    }
}

void by_shares(KernelContext& context, const WinogradWgrad& a, const WgradPlan& plan) {
  const std::int64_t pitch = round_up(a.g.C, 16), step = frequency_step_of(a.g.K, pitch);
  const std::int64_t share_size = kFrequencies * step;
  const std::int64_t scratch_size = Transformed::size(a, plan.batch);
  auto* memory = static_cast<float*>(context.workspace.reserve(
      static_cast<std::size_t>(plan.shares * share_size + context.threads * scratch_size) *
      sizeof(float)));
  if (context.dry_run) return;
  float* scratch = memory + plan.shares * share_size;

  parallel_for(context, plan.shares, [&](std::int64_t share) HWY_ATTR {
    const Transformed tiles(a, plan.batch, scratch + thread_number() * scratch_size);
    const Sums sums{memory + share * share_size, step, pitch};
    const std::int64_t first = share * a.tiles.count / plan.shares;
    const std::int64_t end = (share + 1) * a.tiles.count / plan.shares;
    for (std::int64_t t0 = first; t0 < end; t0 += plan.batch) {
      const std::int64_t count = std::min(plan.batch, end - t0);
      for (std::int64_t t = 0; t < count; ++t) transform_tile(a, t0 + t, t, tiles);
      for (std::int64_t k0 = 0; k0 < a.g.K; k0 += kRowBlock)
        for (std::int64_t c0 = 0; c0 < a.g.C; c0 += kColumns)
          multiply(a, tiles, count, k0, c0, {sums.data + k0 * pitch + c0, step, pitch}, t0 > first);
    }
  });
  parallel_for(context, a.g.K, [&](std::int64_t k) HWY_ATTR {
    finish(a, k, 1, 0, a.g.C, {memory + k * pitch, step, pitch}, plan.shares, share_size);
  });
}

void by_blocks(KernelContext& context, const WinogradWgrad& a) {
  const std::int64_t all_size = Transformed::size(a, a.tiles.count);
  const std::int64_t step = frequency_step_of(kRowBlock, kColumns);
  const std::int64_t scratch_size = kFrequencies * step;
  auto* memory = static_cast<float*>(context.workspace.reserve(
      static_cast<std::size_t>(all_size + context.threads * scratch_size) * sizeof(float)));
  if (context.dry_run) return;
  float* scratch = memory + all_size;
  const Transformed all(a, a.tiles.count, memory);

  constexpr std::int64_t kGroup = 4;
  parallel_for(context, ceil_div(a.tiles.count, kGroup), [&](std::int64_t task) HWY_ATTR {
    for (std::int64_t t = task * kGroup; t < std::min(a.tiles.count, (task + 1) * kGroup); ++t)
      transform_tile(a, t, t, all);
  });
  const std::int64_t row_blocks = ceil_div(a.g.K, kRowBlock);
  parallel_for(context, row_blocks * ceil_div(a.g.C, kColumns), [&](std::int64_t task) HWY_ATTR {
    const std::int64_t k0 = task % row_blocks * kRowBlock, c0 = task / row_blocks * kColumns;
    const std::int64_t rows = std::min(kRowBlock, a.g.K - k0);
    const std::int64_t columns = std::min(kColumns, a.g.C - c0);
    const Sums sums{scratch + thread_number() * scratch_size, step, kColumns};
    multiply(a, all, a.tiles.count, k0, c0, sums, false);
    finish(a, k0, rows, c0, columns, sums, 1, 0);
  });
}

void winograd_wgrad(KernelContext& context, const Conv2dWgrad& args) {
  const WinogradWgrad a{args.geometry, args.dy, args.x, MapRows(args.x_map), args.dw, args.write};
  const WgradPlan plan = plan_wgrad(a.g);
  if (plan.shares == 0)
    by_blocks(context, a);
  else
    by_shares(context, a, plan);
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::cpu {
GLIA_DISPATCH(winograd_wgrad, Conv2dWgrad)
}  // namespace glia::cpu
#endif
