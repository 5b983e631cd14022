// What a ConvGeometry leaves open and cuDNN wants to know: the padding behind the image.
#pragma once

#include <algorithm>
#include <cstdint>

namespace glia::cudnn {

/// Rows below an image of `extent` rows (or columns to its right) with which a window at every
/// `stride`-th row gives `out` rows: `before`, the padding in front, if it does that, since cuDNN
/// has more kernels for equal paddings; else the least.
constexpr std::int64_t padding_after(std::int64_t extent, std::int64_t window, std::int64_t stride,
                                     std::int64_t before, std::int64_t out) {
  // Negative where the last rows lie in no window.
  const std::int64_t least = (out - 1) * stride + window - before - extent;
  if (least <= before && before < least + stride) return before;
  return std::max<std::int64_t>(0, least);
}

}  // namespace glia::cudnn
