// Vector loops over runs of floats. Included once an instruction set (Highway's foreach_target).
#if defined(GLIA_KERNELS_CPU_MAP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLIA_KERNELS_CPU_MAP_INL_H_
#undef GLIA_KERNELS_CPU_MAP_INL_H_
#else
#define GLIA_KERNELS_CPU_MAP_INL_H_
#endif

#include <hwy/highway.h>

#include <cstring>

#include "kernels/cpu/runs.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using FloatVec = hn::Vec<Floats>;

// What a matrix kernel keeps in registers: 32 of them hold 6 x 4 sums beside their operands, 16
// hold 6 x 2.
constexpr int kVectors = HWY_TARGET <= HWY_AVX3 ? 4 : 2;
constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(Floats()));
constexpr std::int64_t kBlock = kVectors * kLanes;

// A line is what the caches move. Where vectors are shorter, those of a line are taken together, so
// that it is fetched once and, on the way out, written whole.
constexpr std::int64_t kLine = 16;
static_assert(kLanes <= kLine);
constexpr int kLineVectors = static_cast<int>(kLine / kLanes);

/// The first `count` < Lanes floats of p; the others are 0. Never reads after them: masked loads
/// of AVX2 and later do not touch masked-out memory, the emulation for older sets does.
HWY_INLINE FloatVec load_tail(Floats d, const float* p, std::int64_t count) {
#if HWY_TARGET <= HWY_AVX2
  return hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(count)), d, p);
#else
  HWY_ALIGN float lanes[hn::MaxLanes(d)] = {};
  std::memcpy(lanes, p, static_cast<std::size_t>(count) * sizeof(float));
  return hn::Load(d, lanes);
#endif
}

/// Writes the first `count` < Lanes floats and nothing after them.
HWY_INLINE void store_tail(Floats d, FloatVec v, float* p, std::int64_t count) {
#if HWY_TARGET <= HWY_AVX2
  hn::BlendedStore(v, hn::FirstN(d, static_cast<std::size_t>(count)), d, p);
#else
  HWY_ALIGN float lanes[hn::MaxLanes(d)];
  hn::Store(v, d, lanes);
  std::memcpy(p, lanes, static_cast<std::size_t>(count) * sizeof(float));
#endif
}

/// The first `count` floats of p, but no more than a vector; the others are 0.
HWY_INLINE FloatVec load_some(Floats d, const float* p, std::int64_t count) {
  return count >= kLanes ? hn::LoadU(d, p) : load_tail(d, p, count);
}

/// Writes the first `count` floats, but no more than a vector, or adds them to what is there.
HWY_INLINE void write_some(Floats d, FloatVec v, float* p, std::int64_t count, bool accumulate) {
  if (accumulate) v = hn::Add(v, load_some(d, p, count));
  if (count >= kLanes)
    hn::StoreU(v, d, p);
  else
    store_tail(d, v, p, count);
}

/// Starts to fetch the line at `p` into the L2 cache. Any address will do.
HWY_INLINE void prefetch_to_l2(const void* p) {
  __builtin_prefetch(p, 0, 2);
}

/// y[i] = f(d, in[i]...) or y[i] += that, for i in [0, count). An input may be y itself.
template <class F, class... In>
HWY_INLINE void map(float* y, Write write, std::int64_t count, const F& f, const In*... in) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const bool accumulate = write == Write::accumulate;
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    FloatVec v = f(d, hn::LoadU(d, in + i)...);
    if (accumulate) v = hn::Add(v, hn::LoadU(d, y + i));
    hn::StoreU(v, d, y + i);
  }
  if (const std::int64_t rest = count - i; rest > 0) {
    FloatVec v = f(d, load_tail(d, in + i, rest)...);
    if (accumulate) v = hn::Add(v, load_tail(d, y + i, rest));
    store_tail(d, v, y + i, rest);
  }
}

/// to (+)= the sums of all shares, `step` floats apart, in order.
HWY_INLINE void add_shares(float* to, Write write, std::int64_t count, const float* sums,
                           std::int64_t shares, std::int64_t step) {
  for (std::int64_t share = 0; share < shares; ++share)
    map(
        to, share == 0 ? write : Write::accumulate, count, [](auto, auto v) HWY_ATTR { return v; },
        sums + share * step);
}

/// `map` over whole views of one shape.
template <class F, class... In>
HWY_INLINE void map_views(KernelContext& context, const View& y, Write write, const F& f,
                          const In&... in) {
  const bool dense = y.dense() && (... && in.dense());
  for_runs(context, y.shape, dense,
           [&](const Run& run) HWY_ATTR { map(run.of(y), write, run.count, f, run.of(in)...); });
}

/// Sums f(d, in[i]...) over i in [0, count); lanes beyond the end are masked out. Each lane adds up
/// every Lanes-th term in float32, the lanes are then added in double.
template <class F, class... In>
HWY_INLINE double sum_map(std::int64_t count, const F& f, const In*... in) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  FloatVec total = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) total = hn::Add(total, f(d, hn::LoadU(d, in + i)...));
  if (const std::int64_t rest = count - i; rest > 0) {
    const FloatVec v = f(d, load_tail(d, in + i, rest)...);
    const auto mask = hn::FirstN(d, static_cast<std::size_t>(rest));
    total = hn::Add(total, hn::IfThenElseZero(mask, v));
  }
  HWY_ALIGN float parts[hn::MaxLanes(d)];
  hn::Store(total, d, parts);
  double sum = 0;
  for (std::int64_t lane = 0; lane < lanes; ++lane) sum += parts[lane];
  return sum;
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
