// The largest pixel of a window and its place. Included once an instruction set (Highway's
// foreach_target).
#if defined(GLIA_KERNELS_CPU_POOL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLIA_KERNELS_CPU_POOL_INL_H_
#undef GLIA_KERNELS_CPU_POOL_INL_H_
#else
#define GLIA_KERNELS_CPU_POOL_INL_H_
#endif

#include <algorithm>

#include "engine/base/geometry.h"
#include "kernels/cpu/read-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

constexpr std::int64_t kAhead = 8;  // windows whose pixels are fetched while one is computed

using Places = hn::Rebind<std::uint8_t, Floats>;
using Ints = hn::Rebind<std::int32_t, Floats>;

HWY_INLINE void store_places(hn::Vec<Ints> places, std::uint8_t* to, std::int64_t count) {
  const Places d;
  const auto bytes = hn::DemoteTo(d, places);
  if (count >= kLanes) return hn::StoreU(bytes, d, to);
  HWY_ALIGN std::uint8_t lanes[hn::MaxLanes(d)];
  hn::Store(bytes, d, lanes);
  std::copy_n(lanes, count, to);
}

HWY_INLINE hn::Vec<Ints> load_places(const std::uint8_t* from, std::int64_t count) {
  const Places d;
  if (count >= kLanes) return hn::PromoteTo(Ints(), hn::LoadU(d, from));
  HWY_ALIGN std::uint8_t lanes[hn::MaxLanes(d)] = {};
  std::copy_n(from, count, lanes);
  return hn::PromoteTo(Ints(), hn::Load(d, lanes));
}

/// The largest of a window's pixels for a vector of channels, and its place. `load(r, s)` gives a
/// pixel. The first of equal ones wins; a NaN wins over every number.
template <class Load>
HWY_INLINE FloatVec largest(std::int64_t window, const Load& load, hn::Vec<Ints>& place) {
  const Ints ints;
  FloatVec best = load(0, 0);
  place = hn::Zero(ints);
  for (std::int64_t r = 0; r < window; ++r)
    for (std::int64_t s = r == 0 ? 1 : 0; s < window; ++s) {
      const FloatVec x = load(r, s);
      const auto better = hn::AndNot(hn::Le(x, best), hn::Eq(best, best));
      best = hn::IfThenElse(better, x, best);
      place = hn::IfThenElse(hn::RebindMask(ints, better),
                             hn::Set(ints, static_cast<std::int32_t>(r * window + s)), place);
    }
  return best;
}

/// The rows of a window are short pieces of memory, which the processor's own prefetching misses.
HWY_INLINE void prefetch_window(const PoolGeometry& g, const float* x, std::int64_t pitch) {
  for (std::int64_t r = 0; r < g.window; ++r)
    for (std::int64_t s = 0; s < g.window; ++s)
      for (std::int64_t c = 0; c < g.C; c += 16) prefetch_to_l2(x + (r * g.W + s) * pitch + c);
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
