// Reading an operand's channels, as they lie or through a map. Included once an instruction set
// (Highway's foreach_target).
#if defined(GLIA_KERNELS_CPU_READ_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLIA_KERNELS_CPU_READ_INL_H_
#undef GLIA_KERNELS_CPU_READ_INL_H_
#else
#define GLIA_KERNELS_CPU_READ_INL_H_
#endif

#include "kernels/cpu/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

/// max(floor, x), where a NaN in x stays one.
HWY_INLINE FloatVec at_least(FloatVec floor, FloatVec x) {
#if HWY_TARGET == HWY_EMU128 || HWY_TARGET == HWY_SCALAR
  return hn::IfThenElse(hn::Lt(x, floor), floor, x);
#else
  return hn::Max(floor, x);  // x86 takes the second where one is NaN, NEON the NaN
#endif
}

/// The rows of a map (kernels/api/read_map.h).
struct MapRows {
  const float *scale = nullptr, *shift = nullptr, *floor = nullptr;

  explicit MapRows(const ConstView& map) {
    if (!map) return;
    scale = map.as<float>();
    shift = scale + map.pitch;
    floor = shift + map.pitch;
  }
  explicit operator bool() const { return scale != nullptr; }

  /// A whole vector, from channel c on.
  HWY_INLINE FloatVec apply(Floats d, FloatVec x, std::int64_t c) const {
    return at_least(hn::LoadU(d, floor + c),
                    hn::MulAdd(x, hn::LoadU(d, scale + c), hn::LoadU(d, shift + c)));
  }
  /// Up to a vector; lanes after `count` are 0.
  HWY_INLINE FloatVec apply_some(Floats d, FloatVec x, std::int64_t c, std::int64_t count) const {
    return at_least(load_some(d, floor + c, count),
                    hn::MulAdd(x, load_some(d, scale + c, count), load_some(d, shift + c, count)));
  }
};

/// Copies `count` channels, the first of which is channel c of the map.
template <bool mapped>
HWY_INLINE void copy_channels(float* HWY_RESTRICT to, const float* HWY_RESTRICT from,
                              std::int64_t count, const MapRows& map, std::int64_t c) {
  const Floats d;
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const FloatVec x = hn::LoadU(d, from + i);
    hn::StoreU(mapped ? map.apply(d, x, c + i) : x, d, to + i);
  }
  if (const std::int64_t rest = count - i; rest > 0) {
    const FloatVec x = load_tail(d, from + i, rest);
    store_tail(d, mapped ? map.apply_some(d, x, c + i, rest) : x, to + i, rest);
  }
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
