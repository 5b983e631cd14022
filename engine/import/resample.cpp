#include "engine/import/resample.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/base/check.h"

namespace glia {

namespace {

constexpr std::int64_t kMaxSide = 65535;

/// The source pixels that one result pixel is made of.
struct Taps {
  std::int64_t first = 0;
  std::vector<float> weights;  // sum 1
};

std::vector<Taps> triangle_taps(std::int64_t from, std::int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double radius = std::max(scale, 1.0);
  std::vector<Taps> all;
  for (std::int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<std::int64_t>(0, std::llround(std::floor(centre - radius)));
    const auto last = std::min(from - 1, static_cast<std::int64_t>(std::floor(centre + radius)));
    std::vector<double> weights;
    double sum = 0;
    for (std::int64_t p = first; p <= last; ++p) {
      const double away = std::abs(static_cast<double>(p) + 0.5 - centre) / radius;
      weights.push_back(std::max(0.0, 1 - away));
      sum += weights.back();
    }
    Taps taps{first, {}};
    for (double weight : weights) taps.weights.push_back(static_cast<float>(weight / sum));
    all.push_back(std::move(taps));
  }
  return all;
}

/// Resizes the middle one of three dimensions, [outer, from, inner].
std::vector<float> resize_middle(std::span<const float> values, std::int64_t outer,
                                 std::int64_t from, std::int64_t inner, std::int64_t to) {
  const std::vector<Taps> taps = triangle_taps(from, to);
  std::vector<float> result(static_cast<std::size_t>(outer * to * inner));
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t i = 0; i < to; ++i)
      for (std::size_t t = 0; t < taps[i].weights.size(); ++t) {
        const float* source =
            values.data() + (o * from + taps[i].first + static_cast<std::int64_t>(t)) * inner;
        float* target = result.data() + (o * to + i) * inner;
        for (std::int64_t c = 0; c < inner; ++c) target[c] += taps[i].weights[t] * source[c];
      }
  return result;
}

struct Margin {
  std::int64_t top, left;
};

Margin margin_of(Size from, Size to) {
  check(to.height >= from.height && to.width >= from.width,
        "a slice of {} x {} does not fit into {} x {}", from.height, from.width, to.height,
        to.width);
  return {(to.height - from.height) / 2, (to.width - from.width) / 2};
}

template <class T>
void place_inside(std::span<const T> values, Size from, std::int64_t channels, Size to,
                  std::vector<T>& result) {
  const auto [top, left] = margin_of(from, to);
  for (std::int64_t y = 0; y < from.height; ++y)
    std::copy_n(values.data() + y * from.width * channels, from.width * channels,
                result.data() + ((y + top) * to.width + left) * channels);
}

}  // namespace

Fit fit(Size from, const std::optional<Size>& resize, bool stretch,
        const std::optional<Size>& pad_to) {
  Fit result{from, from};
  if (resize) {
    result = {*resize, *resize};
    if (!stretch) {
      const double scale =
          std::min(static_cast<double>(resize->height) / static_cast<double>(from.height),
                   static_cast<double>(resize->width) / static_cast<double>(from.width));
      const auto side = [&](std::int64_t length, std::int64_t room) {
        return std::clamp<std::int64_t>(std::llround(scale * static_cast<double>(length)), 1, room);
      };
      result.inner = {side(from.height, resize->height), side(from.width, resize->width)};
    }
  }
  if (!pad_to) return result;
  check(pad_to->height >= result.outer.height && pad_to->width >= result.outer.width,
        "{} x {} pixels are more than --pad-to {}x{}; choose a larger size or --resize",
        result.outer.height, result.outer.width, pad_to->height, pad_to->width);
  result.outer = *pad_to;
  return result;
}

Size parse_size(std::string_view text, std::string_view flag) {
  const auto side = [](std::string_view digits) -> std::int64_t {
    std::int64_t value = 0;
    const char* last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, value);
    return error == std::errc() && end == last ? value : 0;
  };
  const std::size_t cross = std::min(text.find('x'), text.size());
  const Size size{side(text.substr(0, cross)), side(text.substr(std::min(cross + 1, text.size())))};
  check(size.height >= 1 && size.width >= 1 && size.height <= kMaxSide && size.width <= kMaxSide,
        "{} {}: expected HEIGHTxWIDTH, each 1 to {}, for example 256x256", flag, text, kMaxSide);
  return size;
}

std::vector<float> resize_image(std::span<const float> image, Size from, std::int64_t channels,
                                Size to) {
  const std::vector<float> wide = resize_middle(image, from.height, from.width, channels, to.width);
  return resize_middle(wide, 1, from.height, to.width * channels, to.height);
}

std::vector<std::uint8_t> resize_mask(std::span<const std::uint8_t> mask, Size from, Size to) {
  std::vector<std::uint8_t> result;
  result.reserve(static_cast<std::size_t>(to.height * to.width));
  // The source pixel that holds the centre of the result pixel.
  const auto nearest = [](std::int64_t i, std::int64_t count, std::int64_t target) {
    return (2 * i + 1) * count / (2 * target);
  };
  for (std::int64_t y = 0; y < to.height; ++y)
    for (std::int64_t x = 0; x < to.width; ++x)
      result.push_back(
          mask[nearest(y, from.height, to.height) * from.width + nearest(x, from.width, to.width)]);
  return result;
}

std::vector<float> pad_image(std::span<const float> image, Size from, std::int64_t channels,
                             Size to) {
  std::vector<float> least(image.begin(), image.begin() + channels);
  for (std::size_t i = 0; i < image.size(); ++i)
    least[i % channels] = std::min(least[i % channels], image[i]);
  std::vector<float> result(static_cast<std::size_t>(to.height * to.width * channels));
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = least[i % channels];
  place_inside(image, from, channels, to, result);
  return result;
}

std::vector<float> fit_image(std::span<const float> image, Size from, std::int64_t channels,
                             const Fit& fit) {
  std::vector<float> result(image.begin(), image.end());
  if (fit.inner != from) result = resize_image(result, from, channels, fit.inner);
  if (fit.outer != fit.inner) result = pad_image(result, fit.inner, channels, fit.outer);
  return result;
}

std::vector<float> unfit_map(std::span<const float> map, const Fit& fit, Size to) {
  const auto [top, left] = margin_of(fit.inner, fit.outer);
  std::vector<float> inner;
  for (std::int64_t y = 0; y < fit.inner.height; ++y) {
    const auto row = map.subspan(static_cast<std::size_t>((y + top) * fit.outer.width + left),
                                 static_cast<std::size_t>(fit.inner.width));
    inner.insert(inner.end(), row.begin(), row.end());
  }
  return fit.inner == to ? inner : resize_image(inner, fit.inner, 1, to);
}

std::vector<std::uint8_t> pad_mask(std::span<const std::uint8_t> mask, Size from, Size to) {
  std::vector<std::uint8_t> result(static_cast<std::size_t>(to.height * to.width));
  place_inside(mask, from, 1, to, result);
  return result;
}

}  // namespace glia
