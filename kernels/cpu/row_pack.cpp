#include "kernels/cpu/row_pack.h"

#include <algorithm>
#include <cstring>

namespace glia::cpu {

namespace {

constexpr std::int64_t kCacheFloats = (512 << 10) / 4;

void copy_floats(float* to, const float* from, std::int64_t count) {
  std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(float));
}

void zero_floats(float* to, std::int64_t count) {
  std::memset(to, 0, static_cast<std::size_t>(count) * sizeof(float));
}

}  // namespace

RowPack::RowPack(std::span<const Tap> taps, const ConstView& in, std::int64_t step_h,
                 std::int64_t step_w, std::int64_t cols)
    : in_(in), step_h_(step_h), step_w_(step_w) {
  if (!taps.empty()) {
    min_dh_ = max_dh_ = taps[0].dh;
    min_dw_ = max_dw_ = taps[0].dw;
  }
  for (const Tap& tap : taps) {
    min_dh_ = std::min(min_dh_, tap.dh);
    max_dh_ = std::max(max_dh_, tap.dh);
    min_dw_ = std::min(min_dw_, tap.dw);
    max_dw_ = std::max(max_dw_, tap.dw);
  }
  width_ = (cols - 1) * step_w_ + max_dw_ - min_dw_ + 1;
}

std::int64_t RowPack::tile_rows(std::int64_t channels, std::int64_t rows, std::int64_t images,
                                int threads) const {
  const std::int64_t row = width_ * pixel_pitch(channels);
  const std::int64_t halo = max_dh_ - min_dh_;
  const std::int64_t fits = (kCacheFloats / row - halo) / step_h_;
  const std::int64_t balanced = ceil_div(rows * images, std::int64_t{4} * threads);
  return std::clamp<std::int64_t>(std::min(fits, balanced), 1, rows);
}

void RowPack::pack(std::int64_t n, std::int64_t i0, std::int64_t rows, std::int64_t c0,
                   std::int64_t channels, float* packed) const {
  const std::int64_t height = in_.shape[1], width = in_.shape[2];
  const std::int64_t pixel = pixel_pitch(channels);
  const std::int64_t left = std::clamp<std::int64_t>(-min_dw_, 0, width_);
  const std::int64_t right = std::clamp<std::int64_t>(width - min_dw_, left, width_);
  for (std::int64_t row = 0; row < packed_rows(rows); ++row, packed += width_ * pixel) {
    const std::int64_t h = i0 * step_h_ + min_dh_ + row;
    if (h < 0 || h >= height || left == right) {
      zero_floats(packed, width_ * pixel);
      continue;
    }
    zero_floats(packed, left * pixel);
    zero_floats(packed + right * pixel, (width_ - right) * pixel);
    const float* from =
        in_.as<float>() + ((n * height + h) * width + left + min_dw_) * in_.pitch + c0;
    if (pixel == in_.pitch) {
      copy_floats(packed + left * pixel, from, (right - left - 1) * pixel + channels);
      continue;
    }
    for (std::int64_t w = left; w < right; ++w, from += in_.pitch)
      copy_floats(packed + w * pixel, from, channels);
  }
}

}  // namespace glia::cpu
