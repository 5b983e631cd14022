// Max pooling: a task is one output row; backwards too, unless windows overlap. A window's pixels
// are vectors of channels, of which the largest is kept with its place.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/max_pool2d.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/kernels.h"
#include "kernels/cpu/pool-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

template <bool mapped>
void pool_row(const MaxPool2dForward& a, const MapRows& map, std::int64_t task) {
  const Floats d;
  const PoolGeometry& g = a.geometry;
  const std::int64_t n = task / g.P, p = task % g.P;
  for (std::int64_t q = 0; q < g.Q; ++q) {
    const std::int64_t out = task * g.Q + q;
    const float* x = a.x.as<float>() + ((n * g.H + p * g.stride) * g.W + q * g.stride) * a.x.pitch;
    prefetch_window(g, x + kAhead * g.stride * a.x.pitch, a.x.pitch);
    for (std::int64_t c = 0; c < g.C; c += kLanes) {
      const std::int64_t rest = g.C - c;
      const auto read = [&](std::int64_t r, std::int64_t s) HWY_ATTR {
        const FloatVec v = load_some(d, x + (r * g.W + s) * a.x.pitch + c, rest);
        return mapped ? map.apply_some(d, v, c, rest) : v;
      };
      hn::Vec<Ints> place;
      const FloatVec best = largest(g.window, read, place);
      write_some(d, best, a.y.as<float>() + out * a.y.pitch + c, rest, false);
      store_places(place, a.index.as<std::uint8_t>() + out * a.index.pitch + c, rest);
    }
  }
}

void max_pool2d_forward(KernelContext& context, const MaxPool2dForward& a) {
  const MapRows map(a.x_map);
  parallel_for(context, a.geometry.N * a.geometry.P, [&](std::int64_t task) HWY_ATTR {
    if (map)
      pool_row<true>(a, map, task);
    else
      pool_row<false>(a, map, task);
  });
}

/// Zeroes pixels [first, first + count) of a row.
void zero_pixels(const View& v, std::int64_t first, std::int64_t count) {
  for (std::int64_t row = first; row < first + count; ++row)
    std::fill_n(v.as<float>() + row * v.pitch, v.channels(), 0.0f);
}

/// Gives the gradient of window (n, p, q) to its pixels; each is written, or added to.
void scatter(const MaxPool2dBackward& a, std::int64_t n, std::int64_t p, std::int64_t q,
             bool accumulate) {
  const Floats d;
  const PoolGeometry& g = a.geometry;
  const std::int64_t out = (n * g.P + p) * g.Q + q;
  float* dx = a.dx.as<float>() + ((n * g.H + p * g.stride) * g.W + q * g.stride) * a.dx.pitch;
  prefetch_window(g, dx + kAhead * g.stride * a.dx.pitch, a.dx.pitch);
  for (std::int64_t c = 0; c < g.C; c += kLanes) {
    const std::int64_t rest = g.C - c;
    const FloatVec dy = load_some(d, a.dy.as<float>() + out * a.dy.pitch + c, rest);
    const auto place = load_places(a.index.as<std::uint8_t>() + out * a.index.pitch + c, rest);
    for (std::int64_t r = 0; r < g.window; ++r)
      for (std::int64_t s = 0; s < g.window; ++s) {
        const auto here = hn::Set(Ints(), static_cast<std::int32_t>(r * g.window + s));
        const FloatVec share = hn::IfThenElseZero(hn::RebindMask(d, hn::Eq(place, here)), dy);
        write_some(d, share, dx + (r * g.W + s) * a.dx.pitch + c, rest, accumulate);
      }
  }
}

void max_pool2d_backward(KernelContext& context, const MaxPool2dBackward& a) {
  const PoolGeometry& g = a.geometry;
  const bool accumulate = a.write == Write::accumulate;
  if (g.stride < g.window) {
    // Windows overlap, so a task owns a whole image.
    parallel_for(context, g.N, [&](std::int64_t n) HWY_ATTR {
      if (!accumulate) zero_pixels(a.dx, n * g.H * g.W, g.H * g.W);
      for (std::int64_t p = 0; p < g.P; ++p)
        for (std::int64_t q = 0; q < g.Q; ++q) scatter(a, n, p, q, true);
    });
    return;
  }
  parallel_for(context, g.N * g.P, [&](std::int64_t task) HWY_ATTR {
    const std::int64_t n = task / g.P, p = task % g.P;
    if (!accumulate) {
      // What no window reads, between windows and after the last.
      const std::int64_t h0 = p * g.stride, h1 = p + 1 == g.P ? g.H : h0 + g.stride;
      for (std::int64_t h = h0; h < h1; ++h) {
        const std::int64_t row = (n * g.H + h) * g.W;
        if (h >= h0 + g.window) {
          zero_pixels(a.dx, row, g.W);
          continue;
        }
        for (std::int64_t q = 0; q < g.Q; ++q) {
          const std::int64_t w1 = q + 1 == g.Q ? g.W : (q + 1) * g.stride;
          zero_pixels(a.dx, row + q * g.stride + g.window, w1 - q * g.stride - g.window);
        }
      }
    }
    for (std::int64_t q = 0; q < g.Q; ++q) scatter(a, n, p, q, accumulate);
  });
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::cpu {
GLIA_DISPATCH(max_pool2d_forward, MaxPool2dForward)
GLIA_DISPATCH(max_pool2d_backward, MaxPool2dBackward)
}  // namespace glia::cpu
#endif
