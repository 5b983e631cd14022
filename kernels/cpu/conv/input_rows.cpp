#include "kernels/cpu/conv/input_rows.h"

#include <algorithm>

namespace glia::cpu {

namespace {

constexpr std::int64_t kCacheFloats = (512 << 10) / 4;

}  // namespace

InputRows::InputRows(std::span<const TapPart> parts, const ConstView& in, std::int64_t step_h,
                     std::int64_t step_w, bool may_stay)
    : in_(in), step_h_(step_h), step_w_(step_w) {
  std::int64_t cols = 0;
  bool any = false;
  for (const TapPart& part : parts) {
    rows_ = std::max(rows_, part.cols > 0 ? part.rows : 0);
    cols = std::max(cols, part.cols);
    for (const Tap& tap : part.taps) {
      min_dh_ = any ? std::min(min_dh_, tap.dh) : tap.dh;
      max_dh_ = any ? std::max(max_dh_, tap.dh) : tap.dh;
      min_dw_ = any ? std::min(min_dw_, tap.dw) : tap.dw;
      max_dw_ = any ? std::max(max_dw_, tap.dw) : tap.dw;
      any = true;
    }
  }
  width_ = packed_width_ = (cols - 1) * step_w_ + max_dw_ - min_dw_ + 1;
  // With gaps between the pixels that are read, packing is faster; with steps, also with gaps
  // between the channels of pixels.
  const bool gaps = step_w_ > max_dw_ - min_dw_ + 1 || step_h_ > max_dh_ - min_dh_ + 1 ||
                    (step_w_ > 1 && !in.dense());
  in_place_ = may_stay && !gaps && min_dh_ >= 0 && min_dw_ >= 0 &&
              first_row(rows_ - 1) + max_dh_ - min_dh_ < in.shape[1] &&
              min_dw_ + width_ <= in.shape[2];
  if (in_place_) width_ = in.shape[2];
}

bool InputRows::fits(std::int64_t channels) const {
  return input_rows(1) * packed_width_ * packed_pixel(channels) + 16 <= kCacheFloats;
}

std::int64_t InputRows::tile_rows(std::int64_t channels, std::int64_t images, int threads) const {
  const std::int64_t row = width_ * pixel(channels);
  const std::int64_t halo = max_dh_ - min_dh_;
  const std::int64_t fits = (kCacheFloats / row - halo) / step_h_;
  const std::int64_t balanced = ceil_div(rows_ * images, std::int64_t{4} * threads);
  return std::max<std::int64_t>(std::min({fits, balanced, rows_}), 1);
}

}  // namespace glia::cpu
