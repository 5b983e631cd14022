// dw[k,r,s,c] = sum over n,p,q of dy[n,p,q,k] * x[n, p*stride + r - pad, q*stride + s - pad, c].
//
// Work mapping: a task is a block of channels and a fixed share of the slabs; a slab is some output
// rows, few enough that their dy stays in the L1 cache. The input rows that it reads are packed
// with a zero halo (input_rows.h). A micro-kernel keeps kRows x kVectors accumulators in registers
// over all pixels of the slab. Shares are summed in order and do not depend on the number of
// threads.
//
// A pixel's channels of one operand are vectors, those of the other scalars. Vectors are of x, a
// tap at a time; where x has few channels they are of dy, and the scalars are all channels of a row
// of taps, which lie side by side.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/conv/wgrad.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/cpu/conv/bf16_conv.h"
#include "kernels/cpu/conv/conv_passes.h"
#include "kernels/cpu/conv/input_rows-inl.h"
#include "kernels/cpu/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

constexpr int kRows = 6;

/// Rows of sums that the registers hold beside `vectors`.
constexpr int rows_beside(std::int64_t vectors) {
  return kVectors == 4 && vectors <= 2 ? 2 * kRows : kRows;
}
constexpr std::int64_t kMinTasks =
    16;  // what the shares aim at; fixed, so that sums are repeatable

/// One operand over the pixels of a slab: `offset` floats after where each row begins.
struct Operand {
  const std::vector<const float*>& rows;
  std::int64_t offset, step;
};

/// Sums over the pixels of a slab: sums[m * sums_step + l] (+)= scalars[m] * vectors[l].
struct Strip {
  Operand vectors, scalars;
  std::int64_t cols;
  float* sums;
  std::int64_t sums_step, lanes;
  bool accumulate;
  std::int64_t ahead = 0;  // vectors so many floats after come to the L2 cache meanwhile; 0: none
};

template <int kM, int kV>
HWY_INLINE void micro(const Strip& s) {
  const Floats d;
  FloatVec acc[kM][kV];
#pragma GCC unroll 16
  for (int m = 0; m < kM; ++m)
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) {
      acc[m][v] = hn::Zero(d);
      // What the sums are added to comes meanwhile.
      if (s.accumulate) __builtin_prefetch(s.sums + m * s.sums_step + v * kLanes, 1);
    }
  for (std::size_t row = 0; row < s.vectors.rows.size(); ++row) {
    const float* HWY_RESTRICT b = s.vectors.rows[row] + s.vectors.offset;
    const float* HWY_RESTRICT a = s.scalars.rows[row] + s.scalars.offset;
    for (std::int64_t q = 0; q < s.cols; ++q) {
      FloatVec right[kV];
#pragma GCC unroll 8
      for (int v = 0; v < kV; ++v) right[v] = hn::LoadU(d, b + v * kLanes);
      if (s.ahead != 0)
#pragma GCC unroll 8
        for (int v = 0; v < kV; ++v) prefetch_to_l2(b + s.ahead + v * kLanes);
#pragma GCC unroll 16
      for (int m = 0; m < kM; ++m) {
        const FloatVec left = hn::Set(d, a[m]);
#pragma GCC unroll 8
        for (int v = 0; v < kV; ++v) acc[m][v] = hn::MulAdd(left, right[v], acc[m][v]);
      }
      b += s.vectors.step;
      a += s.scalars.step;
    }
  }
#pragma GCC unroll 16
  for (int m = 0; m < kM; ++m)
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v)
      write_some(d, acc[m][v], s.sums + m * s.sums_step + v * kLanes, s.lanes - v * kLanes,
                 s.accumulate);
}

template <int kV>
HWY_NOINLINE void micro_rows(const Strip& s, std::int64_t rows) {
  switch (rows) {
    case 1: return micro<1, kV>(s);
    case 2: return micro<2, kV>(s);
    case 3: return micro<3, kV>(s);
    case 4: return micro<4, kV>(s);
    case 5: return micro<5, kV>(s);
    case 6: return micro<kRows, kV>(s);
    default: return micro<rows_beside(kV), kV>(s);
  }
}

void micro_any(const Strip& s, std::int64_t rows) {
  switch (ceil_div(s.lanes, kLanes)) {
    case 1: return micro_rows<1>(s, rows);
    case 2: return micro_rows<2>(s, rows);
    case 3: return micro_rows<std::min(3, kVectors)>(s, rows);
    default: return micro_rows<kVectors>(s, rows);
  }
}

/// How the output rows of all images are cut into slabs: `images` whole ones or `rows` of one.
struct Slabs {
  std::int64_t images, rows, per_image, count;

  explicit Slabs(const ConvGeometry& g) {
    // Pixels whose dy stays in the L1 cache while the taps pass over them, and enough of them that
    // the sums are seldom loaded and stored.
    constexpr std::int64_t kPixels = 96;
    rows = std::clamp<std::int64_t>(kPixels / g.Q, 1, g.P);
    per_image = ceil_div(g.P, rows);
    rows = ceil_div(g.P, per_image);  // all of like size
    images = per_image > 1 ? 1 : std::clamp<std::int64_t>(kPixels / (g.P * g.Q), 1, g.N);
    count = ceil_div(g.N, images) * per_image;
  }
};

/// A pass, and how it is divided.
struct Wgrad {
  const ConvGeometry& g;
  ConstView dy, x;
  MapRows dy_map, x_map;
  TapPart all = forward_taps(g);
  Slabs slabs{g};
  // Vectors of dy: they are not packed, so they must be whole.
  bool narrow = g.C < kLine && g.K % kLine == 0 && !dy_map;
  std::int64_t block = std::min(narrow ? g.K : g.C, kBlock);  // channels of a task
  std::int64_t blocks = ceil_div(narrow ? g.K : g.C, block);
  // Steps of whole pixels of a power of two would share sets of the L1 cache.
  bool may_stay = g.C % kLine == 0 && !x_map && g.stride_h == 1 && g.stride_w == 1;
  InputRows input{{&all, 1}, x, g.stride_h, g.stride_w, may_stay};
  std::int64_t shares = std::min(slabs.count, ceil_div(kMinTasks, blocks));
  std::int64_t image_size = round_up(input.size(slabs.rows, narrow ? g.C : block), 16);
  // The scalars of pixels a power of two apart would share sets of the L1 cache.
  bool packs_dy = dy_map || (!narrow && g.K % 64 == 0);
  std::int64_t dy_step = !packs_dy ? dy.pitch : g.K % 32 == 0 ? g.K + kLine : g.K;
  std::int64_t dy_size = packs_dy ? round_up(slabs.rows * g.Q * dy_step, 16) : 0;
  std::int64_t sums_size = g.K * g.R * g.S * g.C;

  /// Floats from the first tap's pixels to those of `tap`.
  std::int64_t offset(const Tap& tap, std::int64_t pixel) const {
    return input.offset(tap, 0, 0, pixel) - input.offset(all.taps.front(), 0, 0, pixel);
  }
};

/// Where the rows of a slab begin, of x and of dy, in place or in scratch memory.
struct SlabRows {
  std::vector<const float*> x, dy;

  SlabRows(const Wgrad& w, std::int64_t slab, std::int64_t c0, std::int64_t channels,
           float* scratch) {
    const ConvGeometry& g = w.g;
    const std::int64_t n0 = slab / w.slabs.per_image * w.slabs.images;
    const std::int64_t i0 = slab % w.slabs.per_image * w.slabs.rows;
    const std::int64_t rows = std::min(w.slabs.rows, g.P - i0);
    const std::int64_t pixel = w.input.pixel(channels);
    for (std::int64_t n = n0; n < std::min(g.N, n0 + w.slabs.images); ++n) {
      const float* first = read_rows(w.input, w.x_map, n, i0, rows, c0, channels, scratch);
      const float* first_dy = w.dy.as<float>() + (n * g.P + i0) * g.Q * w.dy.pitch;
      scratch += w.image_size;
      if (w.packs_dy) {
        if (w.dy_map)
          copy_pixels<true>(first_dy, w.dy.pitch, scratch, w.dy_step, rows * g.Q, 0, g.K, w.dy_map);
        else
          copy_pixels<false>(first_dy, w.dy.pitch, scratch, w.dy_step, rows * g.Q, 0, g.K,
                             w.dy_map);
        first_dy = scratch;
        scratch += w.dy_size;
      }
      for (std::int64_t i = 0; i < rows; ++i) {
        x.push_back(first + w.input.offset(w.all.taps.front(), i, 0, pixel));
        dy.push_back(first_dy + i * g.Q * w.dy_step);
      }
    }
  }
};

/// sums[k][r][s][c] of channels [c0, c0 + channels): vectors of x.
void slab_by_taps(const Wgrad& w, const SlabRows& rows, std::int64_t c0, std::int64_t channels,
                  float* sums, bool accumulate) {
  const ConvGeometry& g = w.g;
  const std::int64_t pixel = w.input.pixel(channels);
  const std::int64_t most = rows_beside(ceil_div(channels, kLanes));
  for (const Tap& tap : w.all.taps)
    for (std::int64_t k = 0, count; k < g.K; k += count) {
      count = g.K - k >= most ? most : std::min<std::int64_t>(kRows, g.K - k);
      micro_any({.vectors = {rows.x, w.offset(tap, pixel), g.stride_w * pixel},
                 .scalars = {rows.dy, k, w.dy_step},
                 .cols = g.Q,
                 .sums = sums + (k * g.R * g.S + tap.position) * g.C + c0,
                 .sums_step = g.R * g.S * g.C,
                 .lanes = channels,
                 .accumulate = accumulate},
                count);
    }
}

/// sums[r][s][c][k] of outputs [k0, k0 + outputs): vectors of dy.
void slab_narrow(const Wgrad& w, const SlabRows& rows, std::int64_t k0, std::int64_t outputs,
                 float* sums, bool accumulate) {
  const ConvGeometry& g = w.g;
  const std::int64_t run = g.S * g.C;
  // Groups of like size: nine rows are five and four, as three would leave the units half idle.
  const std::int64_t group = ceil_div(run, ceil_div(run, kRows));
  for (std::int64_t r = 0; r < g.R; ++r) {
    const std::int64_t first = w.offset(w.all.taps[static_cast<std::size_t>(r * g.S)], g.C);
    for (std::int64_t m = 0; m < run; m += group)
      micro_any({.vectors = {rows.dy, k0, w.dy_step},
                 .scalars = {rows.x, first + m, g.stride_w * g.C},
                 .cols = g.Q,
                 .sums = sums + (r * run + m) * g.K + k0,
                 .sums_step = g.K,
                 .lanes = outputs,
                 .accumulate = accumulate,
                 .ahead = r == 0 && m == 0 ? g.Q * w.slabs.rows * w.dy_step : 0},
                std::min(group, run - m));
  }
}

/// dw (+)= the shares' sums, in order.
void finish(KernelContext& context, const Wgrad& w, const float* sums, const View& dw,
            Write write) {
  if (!w.narrow) {
    parallel_for(context, dense_runs(w.sums_size), [&](std::int64_t i) HWY_ATTR {
      const Run run = dense_run(i, w.sums_size);
      add_shares(run.of(dw), write, run.count, sums + run.first, w.shares, w.sums_size);
    });
    return;
  }
  const std::int64_t terms = w.sums_size / w.g.K;
  for (std::int64_t k = 0; k < w.g.K; ++k)
    for (std::int64_t term = 0; term < terms; ++term) {
      float& to = dw.as<float>()[k * terms + term];
      float sum = write == Write::accumulate ? to : 0.0f;
      for (std::int64_t share = 0; share < w.shares; ++share)
        sum += sums[share * w.sums_size + term * w.g.K + k];
      to = sum;
    }
}

void conv_wgrad(KernelContext& context, const ConvGeometry& g, const Mapped& dy, const Mapped& x,
                const View& dw, Write write) {
  const Wgrad w{g, dy.view, x.view, MapRows(dy.map), MapRows(x.map)};
  const std::int64_t scratch_size = (w.image_size + w.dy_size) * w.slabs.images;
  auto* sums =
      context.workspace.array<float>(w.shares * w.sums_size + context.threads * scratch_size);
  if (context.dry_run) return;
  float* scratch = sums + w.shares * w.sums_size;
  // The blocks of a share follow one another, since they read the same pixels.
  parallel_for(context, w.shares * w.blocks, [&](std::int64_t task) HWY_ATTR {
    const std::int64_t share = task / w.blocks, first = task % w.blocks * w.block;
    const std::int64_t count = std::min(w.block, (w.narrow ? g.K : g.C) - first);
    float* to = sums + share * w.sums_size;
    const std::int64_t begin = share * w.slabs.count / w.shares;
    for (std::int64_t slab = begin; slab < (share + 1) * w.slabs.count / w.shares; ++slab) {
      const SlabRows rows(w, slab, w.narrow ? 0 : first, w.narrow ? g.C : count,
                          scratch + thread_number() * scratch_size);
      if (w.narrow)
        slab_narrow(w, rows, first, count, to, slab > begin);
      else
        slab_by_taps(w, rows, first, count, to, slab > begin);
    }
  });
  finish(context, w, sums, dw, write);
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::cpu {
HWY_EXPORT(conv_wgrad);
void conv_wgrad(KernelContext& context, ConvWay way, const ConvGeometry& g, const Mapped& dy,
                const Mapped& x, const View& dw, Write write) {
  if (way == ConvWay::bf16)
    bf16_wgrad(context, g, dy, x, dw, write);
  else
    HWY_DYNAMIC_DISPATCH(conv_wgrad)(context, g, dy, x, dw, write);
}
}  // namespace glia::cpu
#endif
