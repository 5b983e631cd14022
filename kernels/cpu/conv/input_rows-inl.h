// Packs the input rows of a tile (input_rows.h). Included once an instruction set (Highway's
// foreach_target).
#if defined(GLIA_KERNELS_CPU_CONV_INPUT_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLIA_KERNELS_CPU_CONV_INPUT_ROWS_INL_H_
#undef GLIA_KERNELS_CPU_CONV_INPUT_ROWS_INL_H_
#else
#define GLIA_KERNELS_CPU_CONV_INPUT_ROWS_INL_H_
#endif

#include <algorithm>

#include "kernels/cpu/conv/input_rows.h"
#include "kernels/cpu/read-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

/// Copies pixels [w0, w1) of a row, `pixel` floats apart in scratch memory, channels [c0, c0 +
/// channels).
template <bool mapped>
HWY_INLINE void copy_pixels(const float* from, std::int64_t pitch, float* to, std::int64_t pixel,
                            std::int64_t pixels, std::int64_t c0, std::int64_t channels,
                            const MapRows& map) {
  constexpr std::int64_t kAhead = 16;  // pixels that are fetched while one is copied
  if (!mapped && pixel == pitch)
    return copy_channels<false>(to, from, (pixels - 1) * pixel + channels, map, c0);
  for (std::int64_t w = 0; w < pixels; ++w, from += pitch, to += pixel) {
    for (std::int64_t c = 0; c < channels; c += 16) prefetch_to_l2(from + kAhead * pitch + c);
    copy_channels<mapped>(to, from, channels, map, c0);
  }
}

/// What output rows [i0, i0 + rows) of image n read of channels [c0, c0 + channels): where the
/// first pixel lies, in place or packed into `scratch`.
inline const float* read_rows(const InputRows& input, const MapRows& map, std::int64_t n,
                              std::int64_t i0, std::int64_t rows, std::int64_t c0,
                              std::int64_t channels, float* scratch) {
  const ConstView& in = input.in();
  const std::int64_t height = in.shape[1], width = in.shape[2], first = input.first_col();
  const auto at = [&](std::int64_t h, std::int64_t w) HWY_ATTR {
    return in.as<float>() + ((n * height + h) * width + w) * in.pitch + c0;
  };
  if (input.in_place()) return at(input.first_row(i0), first);
  const std::int64_t pixel = input.pixel(channels), row_size = input.width() * pixel;
  const std::int64_t left = std::clamp<std::int64_t>(-first, 0, input.width());
  const std::int64_t right = std::clamp<std::int64_t>(width - first, left, input.width());
  float* packed = scratch;
  for (std::int64_t row = 0; row < input.input_rows(rows); ++row, packed += row_size) {
    const std::int64_t h = input.first_row(i0) + row;
    if (h < 0 || h >= height || left == right) {
      std::fill_n(packed, row_size, 0.0f);
      continue;
    }
    std::fill_n(packed, left * pixel, 0.0f);
    std::fill_n(packed + right * pixel, (input.width() - right) * pixel, 0.0f);
    const float* from = at(h, left + first);
    float* to = packed + left * pixel;
    if (map)
      copy_pixels<true>(from, in.pitch, to, pixel, right - left, c0, channels, map);
    else
      copy_pixels<false>(from, in.pitch, to, pixel, right - left, c0, channels, map);
  }
  return scratch;
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
