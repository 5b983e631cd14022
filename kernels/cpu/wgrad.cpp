// dw[k,r,s,c] = sum over n,p,q of dy[n,p,q,k] * x[n, p*stride + r - pad, q*stride + s - pad, c].
//
// Work mapping: a task is a block of input channels and a fixed share of the slabs; a slab is as
// many output rows as keep the packed input rows (zero halo, see row_pack.h) in the L2 cache. For
// each tap and each group of kRows output channels the micro-kernel keeps kRows x kVectors
// accumulators in registers over all pixels of the slab: a pixel's channels of x are vectors, those
// of dy scalars. Shares are summed in order and do not depend on the number of threads.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/wgrad.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/cpu/conv_passes.h"
#include "kernels/cpu/map-inl.h"
#include "kernels/cpu/row_pack.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

constexpr int kRows = 6;
constexpr std::int64_t kMinTasks =
    16;  // what the shares aim at; fixed, so that sums are repeatable

/// One tap and group of output channels over the rows of a slab.
struct Strip {
  const float* const* x;   // first pixel of each row, at this tap
  const float* const* dy;  // first pixel of each row, at this group of channels
  std::int64_t rows, cols, x_step, dy_step;
  float* dw;  // [kRows] of `dw_step`
  std::int64_t dw_step, channels;
  bool accumulate;
};

template <int kM, int kV>
HWY_INLINE void micro(const Strip& s) {
  const Floats d;
  FloatVec acc[kM][kV];
#pragma GCC unroll 8
  for (int m = 0; m < kM; ++m)
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) acc[m][v] = hn::Zero(d);
  for (std::int64_t row = 0; row < s.rows; ++row) {
    const float* HWY_RESTRICT x = s.x[row];
    const float* HWY_RESTRICT dy = s.dy[row];
    for (std::int64_t q = 0; q < s.cols; ++q) {
      FloatVec b[kV];
#pragma GCC unroll 8
      for (int v = 0; v < kV; ++v) b[v] = hn::LoadU(d, x + v * kLanes);
#pragma GCC unroll 8
      for (int m = 0; m < kM; ++m) {
        const FloatVec a = hn::Set(d, dy[m]);
#pragma GCC unroll 8
        for (int v = 0; v < kV; ++v) acc[m][v] = hn::MulAdd(a, b[v], acc[m][v]);
      }
      x += s.x_step;
      dy += s.dy_step;
    }
  }
#pragma GCC unroll 8
  for (int m = 0; m < kM; ++m) {
    float* dw = s.dw + m * s.dw_step;
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) {
      write_some(d, acc[m][v], dw + v * kLanes, s.channels - v * kLanes, s.accumulate);
    }
  }
}

template <int kV>
HWY_NOINLINE void micro_rows(const Strip& s, std::int64_t rows) {
  switch (rows) {
    case 1: return micro<1, kV>(s);
    case 2: return micro<2, kV>(s);
    case 3: return micro<3, kV>(s);
    case 4: return micro<4, kV>(s);
    case 5: return micro<5, kV>(s);
    default: return micro<kRows, kV>(s);
  }
}

void micro_any(const Strip& s, std::int64_t rows) {
  switch (ceil_div(s.channels, kLanes)) {
    case 1: return micro_rows<1>(s, rows);
    case 2: return micro_rows<2>(s, rows);
    case 3: return micro_rows<std::min(3, kVectors)>(s, rows);
    default: return micro_rows<kVectors>(s, rows);
  }
}

/// How the output rows of all images are cut into slabs: `images` whole ones or `rows` of one.
struct Slabs {
  std::int64_t images, rows, per_image, count;

  Slabs(const ConvGeometry& g, const RowPack& pack, std::int64_t channels) {
    rows = pack.tile_rows(channels, g.P, g.P, 1);  // enough images that only the cache limits it
    per_image = ceil_div(g.P, rows);
    const std::int64_t budget =
        std::max<std::int64_t>(1, pack.tile_rows(channels, 1 << 20, 1 << 20, 1) / g.P);
    images = per_image > 1 ? 1 : std::min(g.N, budget);
    count = per_image > 1 ? g.N * per_image : ceil_div(g.N, images);
  }
};

void conv_wgrad(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                const ConstView& x, const View& dw, Write write) {
  std::vector<Tap> taps;
  for (std::int64_t r = 0; r < g.R; ++r)
    for (std::int64_t s = 0; s < g.S; ++s)
      taps.push_back({r - g.pad_top, s - g.pad_left, r * g.S + s});
  const RowPack pack(taps, x, g.stride_h, g.stride_w, g.Q);
  const std::int64_t width = std::min(g.C, kBlock);
  const std::int64_t blocks = ceil_div(g.C, kBlock);
  const Slabs slabs(g, pack, width);
  const std::int64_t shares = std::min(slabs.count, ceil_div(kMinTasks, blocks));

  const std::int64_t dw_size = g.K * g.R * g.S * g.C;
  const std::int64_t image_size = round_up(pack.size(slabs.rows, width), 16);
  const std::int64_t scratch_size = image_size * slabs.images;
  const std::int64_t partial_size = shares > 1 ? shares * dw_size : 0;
  auto* partial = static_cast<float*>(context.workspace.reserve(
      static_cast<std::size_t>(partial_size + context.threads * scratch_size) * sizeof(float)));
  float* scratch = partial + partial_size;

  parallel_for(context, blocks * shares, [&](std::int64_t task) HWY_ATTR {
    const std::int64_t c0 = task / shares * kBlock, share = task % shares;
    const std::int64_t channels = std::min(kBlock, g.C - c0);
    const std::int64_t pixel = pack.pixel_pitch(channels);
    float* packed = scratch + thread_number() * scratch_size;
    float* to = shares > 1 ? partial + share * dw_size : dw.as<float>();
    bool accumulate = shares == 1 && write == Write::accumulate;
    std::vector<const float*> origins, x_rows, dy_rows;
    for (std::int64_t slab = share * slabs.count / shares;
         slab < (share + 1) * slabs.count / shares; ++slab) {
      const std::int64_t n0 = slab / slabs.per_image * slabs.images;
      const std::int64_t i0 = slab % slabs.per_image * slabs.rows;
      const std::int64_t rows = std::min(slabs.rows, g.P - i0);
      const std::int64_t images = std::min(slabs.images, g.N - n0);
      origins.clear();
      for (std::int64_t n = 0; n < images; ++n) {
        pack.pack(n0 + n, i0, rows, c0, channels, packed + n * image_size);
        for (std::int64_t i = 0; i < rows; ++i)
          origins.push_back(dy.as<float>() + ((n0 + n) * g.P + i0 + i) * g.Q * dy.pitch);
      }
      for (const Tap& tap : taps) {
        x_rows.clear();
        for (std::int64_t n = 0; n < images; ++n)
          for (std::int64_t i = 0; i < rows; ++i)
            x_rows.push_back(packed + n * image_size + pack.offset(tap, i, 0, pixel));
        for (std::int64_t k = 0; k < g.K; k += kRows) {
          dy_rows.clear();
          for (const float* origin : origins) dy_rows.push_back(origin + k);
          const Strip strip = {.x = x_rows.data(),
                               .dy = dy_rows.data(),
                               .rows = images * rows,
                               .cols = g.Q,
                               .x_step = g.stride_w * pixel,
                               .dy_step = dy.pitch,
                               .dw = to + (k * g.R * g.S + tap.position) * g.C + c0,
                               .dw_step = g.R * g.S * g.C,
                               .channels = channels,
                               .accumulate = accumulate};
          micro_any(strip, std::min<std::int64_t>(kRows, g.K - k));
        }
      }
      accumulate = true;
    }
  });
  if (shares == 1) return;
  parallel_for(context, dense_runs(dw_size), [&](std::int64_t i) HWY_ATTR {
    const Run run = dense_run(i, dw_size);
    for (std::int64_t share = 0; share < shares; ++share)
      map(
          run.of(dw), share == 0 ? write : Write::accumulate, run.count,
          [](auto, auto v) HWY_ATTR { return v; }, partial + share * dw_size + run.first);
  });
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::cpu {
HWY_EXPORT(conv_wgrad);
void conv_wgrad(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                const ConstView& x, const View& dw, Write write) {
  HWY_DYNAMIC_DISPATCH(conv_wgrad)(context, g, dy, x, dw, write);
}
}  // namespace glia::cpu
#endif
