// Writes down what a map makes of an operand, and pools it while it is at hand. A task is a pair of
// rows.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/materialise.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/kernels.h"
#include "kernels/cpu/pool-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

/// The mapped channels [c, c + count) of a row, written down and returned.
HWY_INLINE FloatVec map_vector(const Materialise& a, const MapRows& map, std::int64_t row,
                               std::int64_t c, std::int64_t count) {
  const Floats d;
  const FloatVec v =
      map.apply_some(d, load_some(d, a.x.as<float>() + row * a.x.pitch + c, count), c, count);
  write_some(d, v, a.y.as<float>() + row * a.y.pitch + c, count, false);
  return v;
}

void map_row(const Materialise& a, const MapRows& map, std::int64_t row) {
  for (std::int64_t c = 0; c < a.x.channels(); c += kLanes)
    map_vector(a, map, row, c, a.x.channels() - c);
}

void materialise(KernelContext& context, const Materialise& a) {
  const MapRows map(a.map);
  const std::int64_t C = a.x.channels();
  if (!a.pooled) {
    const std::int64_t block = std::max<std::int64_t>(1, kRunLength / C);
    parallel_for(context, ceil_div(a.x.rows(), block), [&](std::int64_t i) HWY_ATTR {
      for (std::int64_t row = i * block; row < std::min(a.x.rows(), (i + 1) * block); ++row)
        map_row(a, map, row);
    });
    return;
  }
  const PoolGeometry g = max_pool2d_geometry(a.x.shape, 2, 2);
  const std::int64_t pairs = ceil_div(g.H, 2);
  parallel_for(context, g.N * pairs, [&](std::int64_t task) HWY_ATTR {
    const std::int64_t n = task / pairs, p = task % pairs, first = (n * g.H + 2 * p) * g.W;
    const std::int64_t windows = p < g.P ? g.Q : 0;
    for (std::int64_t q = 0; q < windows; ++q) {
      const std::int64_t out = (n * g.P + p) * g.Q + q;
      prefetch_window(g, a.x.as<float>() + (first + 2 * (q + kAhead)) * a.x.pitch, a.x.pitch);
      for (std::int64_t c = 0; c < C; c += kLanes) {
        hn::Vec<Ints> place;
        const FloatVec best = largest(
            2,
            [&](std::int64_t r, std::int64_t s)
                HWY_ATTR { return map_vector(a, map, first + r * g.W + 2 * q + s, c, C - c); },
            place);
        write_some(Floats(), best, a.pooled.as<float>() + out * a.pooled.pitch + c, C - c, false);
        store_places(place, a.index.as<std::uint8_t>() + out * a.index.pitch + c, C - c);
      }
    }
    // What no window covers: the last column or row of an odd image.
    for (std::int64_t h = 2 * p; h < std::min(g.H, 2 * p + 2); ++h)
      for (std::int64_t w = 2 * windows; w < g.W; ++w) map_row(a, map, (n * g.H + h) * g.W + w);
  });
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::cpu {
GLIA_DISPATCH(materialise, Materialise)
}  // namespace glia::cpu
#endif
