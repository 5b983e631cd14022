// Walks views of one shape in contiguous runs, whatever their pitches, in parallel.
#pragma once

#include <algorithm>

#include "kernels/api/view.h"
#include "kernels/cpu/parallel.h"

namespace glia::cpu {

/// A contiguous stretch of elements: `count` of them from element `first` of row `row` on.
struct Run {
  std::int64_t row, first, count;

  const float* of(const ConstView& v) const { return v.as<float>() + row * v.pitch + first; }
  float* of(const View& v) const { return v.as<float>() + row * v.pitch + first; }
};

/// Elements of a dense tensor are cut into runs of this length; sums are formed a run at a time, so
/// it fixes their order of summation whatever the number of threads.
inline constexpr std::int64_t kRunLength = 8192;

inline std::int64_t dense_runs(std::int64_t elements) {
  return ceil_div(elements, kRunLength);
}

/// The i-th run of a dense range of elements.
inline Run dense_run(std::int64_t i, std::int64_t elements) {
  const std::int64_t first = i * kRunLength;
  return {0, first, std::min(kRunLength, elements - first)};
}

/// Calls `fn(run)` for runs that together cover `shape`. `dense` says that every view involved is.
template <class Fn>
void for_runs(const KernelContext& context, const Shape& shape, bool dense, const Fn& fn) {
  const std::int64_t elements = shape.numel();
  if (elements == 0) return;
  if (dense) {
    parallel_for(context, dense_runs(elements),
                 [&](std::int64_t i) { fn(dense_run(i, elements)); });
    return;
  }
  const std::int64_t channels = shape.channels(), rows = elements / channels;
  const std::int64_t block = std::max<std::int64_t>(1, kRunLength / channels);
  parallel_for(context, ceil_div(rows, block), [&](std::int64_t i) {
    const std::int64_t end = std::min(rows, (i + 1) * block);
    for (std::int64_t row = i * block; row < end; ++row) fn(Run{row, 0, channels});
  });
}

}  // namespace glia::cpu
