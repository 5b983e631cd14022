#include "kernels/cpu/conv/tap_conv.h"

#include <algorithm>

namespace glia::cpu {

TapPart forward_taps(const ConvGeometry& g) {
  TapPart all{.rows = g.P, .cols = g.Q};
  for (std::int64_t r = 0; r < g.R; ++r)
    for (std::int64_t s = 0; s < g.S; ++s)
      all.taps.push_back({r - g.pad_top, s - g.pad_left, r * g.S + s});
  return all;
}

std::int64_t TapPart::neighbours() const {
  // Weights are packed in the order of the taps, so only the pixels have to be neighbours.
  const auto count = static_cast<std::int64_t>(taps.size());
  const auto joins = [&](std::int64_t t) {
    const Tap &a = taps[static_cast<std::size_t>(t - 1)], &b = taps[static_cast<std::size_t>(t)];
    return a.dh == b.dh && a.dw + 1 == b.dw;
  };
  std::int64_t run = std::min<std::int64_t>(count, 1);
  while (run < count && joins(run)) ++run;
  for (std::int64_t t = 0; t < count; ++t)
    if (t % run != 0 && !joins(t)) return 1;
  return count % std::max<std::int64_t>(run, 1) == 0 ? std::max<std::int64_t>(run, 1) : 1;
}

}  // namespace glia::cpu
