// y[row][k] = b[k] + sum over c of x[row][c] * w[k][c]. Vectors are of a pixel's channels, so that
// x is read once, as it lies, at the speed of memory; lanes are added up at the end.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/conv/dot_conv.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/cpu/conv/dot_conv.h"
#include "kernels/cpu/read-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

template <bool mapped>
float dot(const float* x, const float* ahead, const float* w, std::int64_t channels,
          const MapRows& map) {
  const Floats d;
  FloatVec sum = hn::Zero(d);
  for (std::int64_t c = 0; c < channels; c += kLanes) {
    if (c % kLine == 0) prefetch_to_l2(ahead + c);
    const std::int64_t rest = channels - c;
    FloatVec v = load_some(d, x + c, rest);
    if constexpr (mapped) v = map.apply_some(d, v, c, rest);
    sum = hn::MulAdd(v, load_some(d, w + c, rest), sum);
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

template <bool mapped>
void dot_rows(KernelContext& context, const Mapped& x, const ConstView& w, const ConstView& b,
              const View& y, Write write) {
  constexpr std::int64_t kRows = 1024;  // a task
  constexpr std::int64_t kAhead = 32;   // rows that are fetched while one is read
  const MapRows map(x.map);
  const std::int64_t rows = y.rows(), channels = x.view.channels(), pitch = x.view.pitch;
  parallel_for(context, ceil_div(rows, kRows), [&](std::int64_t task) HWY_ATTR {
    for (std::int64_t row = task * kRows; row < std::min(rows, (task + 1) * kRows); ++row)
      for (std::int64_t k = 0; k < y.channels(); ++k) {
        const float* from = x.view.as<float>() + row * pitch;
        const float sum =
            dot<mapped>(from, from + kAhead * pitch, w.as<float>() + k * channels, channels, map) +
            (b ? b.as<float>()[k] : 0.0f);
        float& to = y.as<float>()[row * y.pitch + k];
        to = write == Write::accumulate ? to + sum : sum;
      }
  });
}

void dot_forward(KernelContext& context, const Mapped& x, const ConstView& w, const ConstView& b,
                 const View& y, Write write) {
  if (context.dry_run) return;
  if (x.map)
    dot_rows<true>(context, x, w, b, y, write);
  else
    dot_rows<false>(context, x, w, b, y, write);
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::cpu {

HWY_EXPORT(dot_forward);
void dot_forward(KernelContext& context, const Mapped& x, const ConstView& w, const ConstView& b,
                 const View& y, Write write) {
  HWY_DYNAMIC_DISPATCH(dot_forward)(context, x, w, b, y, write);
}

}  // namespace glia::cpu
#endif
