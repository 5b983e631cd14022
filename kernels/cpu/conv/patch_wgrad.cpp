// dw[k][rsc] = sum over npq of x[npq][k] * dy[npq][rsc], where a row of dy is the patch of pixels
// that a window covers: one product of matrices. db comes with it, as the product with a column of
// ones: the sums of dy's patches, of which those of a channel are added up.
//
// Work mapping: a task is a group of dy's columns and a fixed share of the patches. A batch of
// patches at a time, it packs x, then a block of columns of dy, which the L1 cache holds, and adds
// their product to the share's sums. Meanwhile the next batch comes from memory: packing would wait
// for it. Shares are added in order and do not depend on the number of threads.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/conv/patch_wgrad.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <vector>

#include "kernels/cpu/conv/gemm-inl.h"
#include "kernels/cpu/conv/patch_wgrad.h"
#include "kernels/cpu/conv/winograd_tiles.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/read-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

constexpr std::int64_t kPatches = 128;                    // a batch, at most
constexpr std::int64_t kPanel = std::max(kBlock, kLine);  // columns that are packed at a time
constexpr std::int64_t kGroup = 256;                      // columns of a task
constexpr std::int64_t kTasks = 16;  // what the shares aim at; fixed, so that sums are repeatable

struct PatchWgrad {
  const ConvTranspose2dWgrad& a;
  const ConvGeometry& g = a.geometry;
  std::int64_t patches = g.N * g.P * g.Q, columns = g.R * g.S * g.C;
  // Whole rows of an image where they are short: the next batch is one stretch of memory.
  std::int64_t batch = g.Q <= kPatches ? kPatches / g.Q * g.Q : kPatches;
  std::int64_t batches = ceil_div(patches, batch);
  std::int64_t groups = ceil_div(columns, kGroup);
  std::int64_t shares = std::min(batches, ceil_div(kTasks, groups));
  std::int64_t rows = g.K + 1;  // and the ones
  std::int64_t x_pitch = padded_pitch(rows), sums_pitch = padded_pitch(columns);
  std::vector<std::int64_t> lines = {};  // element of each line of a row of dy, from its first

  explicit PatchWgrad(const ConvTranspose2dWgrad& args) : a(args) {
    for (std::int64_t r = 0; r < g.R; ++r)
      for (std::int64_t s = 0; s < g.S; ++s)
        for (std::int64_t c = 0; c < g.C; c += kLine)
          lines.push_back((r * g.W + s) * a.dy.pitch + c);
  }
  /// What comes to the L2 cache while block j of columns [begin, end) of the batch at p is
  /// multiplied: its share of the next batch of a tensor with `pixels` a patch.
  Ahead next(const ConstView& of, std::int64_t pixels, std::int64_t p, std::int64_t j,
             std::int64_t begin, std::int64_t end) const {
    if (g.Q > kPatches || p + 2 * batch > patches) return {};
    const std::int64_t size = batch * pixels * of.pitch;
    const std::int64_t first = (j - begin) * size / (end - begin);
    return {of.as<float>() + (p + batch) * pixels * of.pitch + first,
            std::min(kPanel, end - j) * size / (end - begin), g.K, batch};
  }
  /// Where the pixels of a patch begin.
  const float* dy(std::int64_t patch) const {
    return a.dy.as<float>() + (patch / g.Q * g.R * g.W + patch % g.Q * g.S) * a.dy.pitch;
  }
};

/// x of patches [first, first + count), x_pitch floats apart, with a one after the last channel.
template <bool mapped>
void pack_x(const PatchWgrad& w, std::int64_t first, std::int64_t count, float* to) {
  const MapRows map(w.a.x_map);
  const float* from = w.a.x.as<float>() + first * w.a.x.pitch;
  for (std::int64_t i = 0; i < count; ++i, from += w.a.x.pitch, to += w.x_pitch) {
    copy_channels<mapped>(to, from, w.g.K, map, 0);
    to[w.g.K] = 1.0f;
  }
}

/// `columns` columns of dy from `column` on, of patches [first, first + count), kPanel floats
/// apart.
void pack_dy(const PatchWgrad& w, std::int64_t first, std::int64_t count, std::int64_t column,
             std::int64_t columns, float* to) {
  constexpr std::int64_t kAhead = 8;  // patches that are fetched while one is copied
  const Floats d;
  for (std::int64_t i = 0; i < count; ++i, to += kPanel) {
    const float *from = w.dy(first + i), *ahead = w.dy(first + i + kAhead);
    for (std::int64_t j = 0; j < columns; j += kLine) {
      const std::int64_t line = w.lines[static_cast<std::size_t>((column + j) / kLine)];
      prefetch_to_l2(ahead + line);
      for (int v = 0; v < kLineVectors; ++v)
        hn::Store(hn::LoadU(d, from + line + v * kLanes), d, to + j + v * kLanes);
    }
  }
}

/// The row of ones: db.
void finish_bias(const PatchWgrad& w, const float* sums) {
  for (std::int64_t c = 0; c < w.g.C; ++c) {
    double sum = 0;
    for (std::int64_t share = 0; share < w.shares; ++share)
      for (std::int64_t j = c; j < w.columns; j += w.g.C)
        sum += sums[(share * w.rows + w.g.K) * w.sums_pitch + j];
    float& to = w.a.db.as<float>()[c];
    to = static_cast<float>(w.a.write_bias == Write::accumulate ? to + sum : sum);
  }
}

void patch_wgrad(KernelContext& context, const ConvTranspose2dWgrad& a) {
  const PatchWgrad w(a);
  const std::int64_t share_size = w.rows * w.sums_pitch;
  const std::int64_t x_size = kPatches * w.x_pitch, scratch_size = x_size + kPatches * kPanel;
  auto* sums =
      context.workspace.array<float>(w.shares * share_size + context.threads * scratch_size);
  if (context.dry_run) return;
  float* scratch = sums + w.shares * share_size;

  // The groups of a share follow one another, since they read the same pixels.
  parallel_for(context, w.shares * w.groups, [&](std::int64_t task) HWY_ATTR {
    const std::int64_t share = task / w.groups, begin = task % w.groups * kGroup;
    const std::int64_t end = std::min(w.columns, begin + kGroup);
    const std::int64_t from = share * w.batches / w.shares * w.batch;
    const std::int64_t to = std::min(w.patches, (share + 1) * w.batches / w.shares * w.batch);
    float* x = scratch + thread_number() * scratch_size;
    float* dy = x + x_size;
    for (std::int64_t p = from; p < to; p += w.batch) {
      const std::int64_t count = std::min(w.batch, to - p);
      if (a.x_map)
        pack_x<true>(w, p, count, x);
      else
        pack_x<false>(w, p, count, x);
      for (std::int64_t j = begin; j < end; j += kPanel) {
        const std::int64_t columns = std::min(kPanel, end - j);
        pack_dy(w, p, count, j, columns, dy);
        gemm({.a = x,
              .a_row = 1,
              .a_depth = w.x_pitch,
              .b = dy,
              .b_depth = kPanel,
              .c = sums + share * share_size + j,
              .c_row = w.sums_pitch,
              .rows = a.db ? w.rows : w.g.K,
              .columns = columns,
              .depth = count,
              .accumulate = p > from,
              .ahead_a = w.next(a.x, 1, p, j, begin, end),
              .ahead_b = w.next(a.dy, w.g.R * w.g.S, p, j, begin, end)});
      }
    }
  });
  parallel_for(context, w.g.K, [&](std::int64_t k) HWY_ATTR {
    add_shares(a.dw.as<float>() + k * w.columns, a.write, w.columns, sums + k * w.sums_pitch,
               w.shares, share_size);
  });
  if (a.db) finish_bias(w, sums);
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::cpu {

GLIA_DISPATCH(patch_wgrad, ConvTranspose2dWgrad)

}  // namespace glia::cpu
#endif
