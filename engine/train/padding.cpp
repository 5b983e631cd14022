#include "engine/train/padding.h"

#include <algorithm>

namespace glia {

Shape padded_shape(const Shape& images, std::int64_t multiple) {
  const auto raised = [=](std::int64_t n) { return (n + multiple - 1) / multiple * multiple; };
  return {images[0], raised(images[1]), raised(images[2]), images[3]};
}

std::vector<float> fit_edges(const std::vector<float>& images, const Shape& from, const Shape& to) {
  const std::int64_t channels = from[3], shared = std::min(from[2], to[2]) * channels;
  std::vector<float> result(static_cast<std::size_t>(to.with_channels(channels).numel()));
  auto out = result.begin();
  for (std::int64_t n = 0; n < from[0]; ++n)
    for (std::int64_t h = 0; h < to[1]; ++h) {
      const std::int64_t row = n * from[1] + std::min(h, from[1] - 1);
      const auto in = images.begin() + row * from[2] * channels;
      out = std::copy_n(in, shared, out);
      for (std::int64_t w = from[2]; w < to[2]; ++w)
        out = std::copy_n(in + shared - channels, channels, out);
    }
  return result;
}

}  // namespace glia
