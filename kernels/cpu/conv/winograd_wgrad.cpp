// Winograd's backward-weights: the gradient of one tile's products with respect to the weights, so
// the forward pass's matrices transposed. For each of the 36 frequencies the transformed pixels of
// x and dy are multiplied and summed over all tiles; only the sums are transformed back.
//
// Work mapping, by shares: a task is a fixed share of the tiles, a few at a time, so that their
// transforms stay in the L2 cache, and has sums of its own; shares are added in order. By
// frequencies, where sums of all frequencies are too large for that cache: a few hundred tiles at a
// time are transformed, then a task is a frequency with its sums, which do stay there. By blocks,
// for many channels and few tiles, where all sums are larger than the tiles: these are all
// transformed first, and a task is a block of outputs x inputs with all its sums.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/conv/winograd_wgrad.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/cpu/conv/winograd-inl.h"
#include "kernels/cpu/conv/winograd.h"
#include "kernels/cpu/conv/winograd_tiles.h"
#include "kernels/cpu/kernels.h"

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

  Sums from(std::int64_t k, std::int64_t c) const { return {data + k * pitch + c, step, pitch}; }
};

/// A product: of frequency f, of the block of outputs from k0 on and that of inputs from c0 on.
struct Factors {
  std::int64_t f, k0, c0;

  const float* dy(const Transformed& from) const {
    return from.dy.at(0, k0) + f * from.dy.frequency_step;
  }
  const float* x(const Transformed& from) const {
    return from.x.at(0, c0) + f * from.x.frequency_step;
  }
};

/// sums (+)= the product over `tiles`; `sums` begins at its first. Factors that only the `next` one
/// has are fetched.
HWY_INLINE void multiply(const WinogradWgrad& a, const Transformed& from, const Factors& now,
                         const Factors& next, std::int64_t tiles, const Sums& sums,
                         bool accumulate) {
  const std::int64_t rows = std::min(kRowBlock, a.g.K - now.k0);
  const auto ahead = [&](const float* old, const float* data, std::int64_t width) {
    return Ahead(data, data == old ? 0 : tiles * width, rows, tiles);
  };
  const float *dy = now.dy(from), *x = now.x(from);
  gemm({.a = dy,
        .a_row = 1,
        .a_depth = kRowBlock,
        .b = x,
        .b_depth = kColumns,
        .c = sums.data + now.f * sums.step,
        .c_row = sums.pitch,
        .rows = rows,
        .columns = round_up(std::min(kColumns, a.g.C - now.c0), kLanes),
        .depth = tiles,
        .accumulate = accumulate,
        .ahead_a = ahead(dy, next.dy(from), kRowBlock),
        .ahead_b = ahead(x, next.x(from), kColumns)});
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
  auto* memory =
      context.workspace.array<float>(plan.shares * share_size + context.threads * scratch_size);
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
          for (std::int64_t f = 0; f < kFrequencies; ++f)
            multiply(a, tiles, {f, k0, c0}, {f, k0, c0}, count, sums.from(k0, c0), t0 > first);
    }
  });
  parallel_for(context, a.g.K, [&](std::int64_t k) HWY_ATTR {
    finish(a, k, 1, 0, a.g.C, {memory + k * pitch, step, pitch}, plan.shares, share_size);
  });
}

/// Transforms tiles [t0, t0 + count) into rows from 0 on.
void transform_tiles(KernelContext& context, const WinogradWgrad& a, std::int64_t t0,
                     std::int64_t count, const Transformed& to) {
  constexpr std::int64_t kGroup = 4;
  parallel_for(context, ceil_div(count, kGroup), [&](std::int64_t task) HWY_ATTR {
    for (std::int64_t t = task * kGroup; t < std::min(count, (task + 1) * kGroup); ++t)
      transform_tile(a, t0 + t, t, to);
  });
}

void by_frequencies(KernelContext& context, const WinogradWgrad& a, const WgradPlan& plan) {
  const std::int64_t pitch = round_up(a.g.C, 16), step = frequency_step_of(a.g.K, pitch);
  const std::int64_t sums_size = kFrequencies * step;
  auto* memory = context.workspace.array<float>(sums_size + Transformed::size(a, plan.batch));
  if (context.dry_run) return;
  const Sums sums{memory, step, pitch};
  const Transformed tiles(a, plan.batch, memory + sums_size);
  // Tasks of a frequency follow one another, since they read the same pixels.
  constexpr std::int64_t kTaskRows = 3 * kRowBlock;
  const std::int64_t parts = ceil_div(a.g.K, kTaskRows);
  for (std::int64_t t0 = 0; t0 < a.tiles.count; t0 += plan.batch) {
    const std::int64_t count = std::min(plan.batch, a.tiles.count - t0);
    transform_tiles(context, a, t0, count, tiles);
    parallel_for(context, kFrequencies * parts, [&](std::int64_t task) HWY_ATTR {
      const std::int64_t f = task / parts, first = task % parts * kTaskRows;
      const std::int64_t end = std::min(a.g.K, first + kTaskRows);
      for (Factors now{f, first, 0}, next; now.c0 < a.g.C; now = next) {
        next = {f, now.k0 + kRowBlock, now.c0};
        if (next.k0 >= end) next = {f, first, now.c0 + kColumns};
        multiply(a, tiles, now, next.c0 < a.g.C ? next : now, count, sums.from(now.k0, now.c0),
                 t0 > 0);
      }
    });
  }
  parallel_for(context, a.g.K,
               [&](std::int64_t k) HWY_ATTR { finish(a, k, 1, 0, a.g.C, sums.from(k, 0), 1, 0); });
}

void by_blocks(KernelContext& context, const WinogradWgrad& a) {
  const std::int64_t all_size = Transformed::size(a, a.tiles.count);
  const std::int64_t step = frequency_step_of(kRowBlock, kColumns);
  const std::int64_t scratch_size = kFrequencies * step;
  auto* memory = context.workspace.array<float>(all_size + context.threads * scratch_size);
  if (context.dry_run) return;
  float* scratch = memory + all_size;
  const Transformed all(a, a.tiles.count, memory);

  transform_tiles(context, a, 0, a.tiles.count, all);
  const std::int64_t row_blocks = ceil_div(a.g.K, kRowBlock);
  parallel_for(context, row_blocks * ceil_div(a.g.C, kColumns), [&](std::int64_t task) HWY_ATTR {
    const std::int64_t k0 = task % row_blocks * kRowBlock, c0 = task / row_blocks * kColumns;
    const std::int64_t rows = std::min(kRowBlock, a.g.K - k0);
    const std::int64_t columns = std::min(kColumns, a.g.C - c0);
    const Sums sums{scratch + thread_number() * scratch_size, step, kColumns};
    for (std::int64_t f = 0; f < kFrequencies; ++f)
      multiply(a, all, {f, k0, c0}, {std::min(f + 1, kFrequencies - 1), k0, c0}, a.tiles.count,
               sums, false);
    finish(a, k0, rows, c0, columns, sums, 1, 0);
  });
}

void winograd_wgrad(KernelContext& context, const Conv2dWgrad& args) {
  const WinogradWgrad a{args.geometry, args.dy, args.x, MapRows(args.x_map), args.dw, args.write};
  const WgradPlan plan = plan_wgrad(a.g);
  switch (plan.scheme) {
    case WgradPlan::Scheme::shares: return by_shares(context, a, plan);
    case WgradPlan::Scheme::frequencies: return by_frequencies(context, a, plan);
    case WgradPlan::Scheme::blocks: return by_blocks(context, a);
  }
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::cpu {
GLIA_DISPATCH(winograd_wgrad, Conv2dWgrad)
}  // namespace glia::cpu
#endif
