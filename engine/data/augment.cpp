#include "engine/data/augment.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <set>

#include "engine/base/check.h"
#include "engine/base/json.h"
#include "engine/base/rng.h"
#include "engine/base/text.h"

namespace glia {
namespace {

/// The strengths by name; the flags are handled beside them.
struct Strength {
  const char* name;
  double AugmentConfig::*value;
  double limit;
};
constexpr std::array kStrengths = {
    Strength{"noise", &AugmentConfig::noise, 10},
    Strength{"brightness", &AugmentConfig::brightness, 10},
    Strength{"rotate", &AugmentConfig::rotate_degrees, 180},
    Strength{"scale", &AugmentConfig::scale, 0.9},
    Strength{"gamma", &AugmentConfig::gamma, 3},
};

struct Flag {
  const char* name;
  bool AugmentConfig::*value;
};
constexpr std::array kFlags = {Flag{"flip", &AugmentConfig::flip_horizontal},
                               Flag{"flip-vertical", &AugmentConfig::flip_vertical}};

constexpr const char* kHelp =
    "expected none, or a list of noise=, brightness=, rotate=, scale=, gamma=, flip, "
    "flip-vertical, "
    "such as noise=0.05,flip,rotate=15";

/// Each change draws at a place of its own: switching one on leaves the others as they were.
enum Draw : std::uint64_t { kFlipX, kFlipY, kRotate, kScale, kGamma, kBrightness };
constexpr std::uint64_t kParameterStream = 0;  // beside kNoiseStream

void set_strength(AugmentConfig& config, const Strength& strength, double value) {
  check(value >= 0 && value <= strength.limit, "augmentation {}={}: expected 0 to {}",
        strength.name, value, strength.limit);
  config.*strength.value = value;
}

void parse_item(AugmentConfig& config, std::string_view item) {
  for (const Flag& flag : kFlags)
    if (item == flag.name) {
      config.*flag.value = true;
      return;
    }
  const std::size_t equals = item.find('=');
  for (const Strength& strength : kStrengths) {
    if (equals == std::string_view::npos || item.substr(0, equals) != strength.name) continue;
    const std::string_view digits = item.substr(equals + 1);
    double value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    check(error == std::errc{} && stop == end, "augmentation '{}': '{}' is not a number", item,
          digits);
    set_strength(config, strength, value);
    return;
  }
  fail("augmentation '{}' is unknown; {}", item, kHelp);
}

void resample(Slice& slice, const AugmentDraws& map) {
  const std::int64_t height = slice.height, width = slice.width, channels = slice.channels;
  const double middle_x = 0.5 * static_cast<double>(width - 1);
  const double middle_y = 0.5 * static_cast<double>(height - 1);
  std::vector<float> image(slice.image.size()), mask(slice.mask.size());
  for (std::int64_t row = 0; row < height; ++row)
    for (std::int64_t column = 0; column < width; ++column) {
      const double dx = static_cast<double>(column) - middle_x;
      const double dy = static_cast<double>(row) - middle_y;
      const double x =
          std::clamp(middle_x + map.xx * dx + map.xy * dy, 0.0, static_cast<double>(width - 1));
      const double y =
          std::clamp(middle_y + map.yx * dx + map.yy * dy, 0.0, static_cast<double>(height - 1));
      const auto x0 = static_cast<std::int64_t>(x), y0 = static_cast<std::int64_t>(y);
      const std::int64_t x1 = std::min(x0 + 1, width - 1), y1 = std::min(y0 + 1, height - 1);
      const double u = x - static_cast<double>(x0), v = y - static_cast<double>(y0);
      const auto source = [&](std::int64_t r, std::int64_t c) {
        return &slice.image[static_cast<std::size_t>((r * width + c) * channels)];
      };
      const float *a = source(y0, x0), *b = source(y0, x1), *c = source(y1, x0),
                  *d = source(y1, x1);
      const auto to = static_cast<std::size_t>(row * width + column);
      for (std::size_t k = 0; k < static_cast<std::size_t>(channels); ++k)
        image[to * static_cast<std::size_t>(channels) + k] = static_cast<float>(
            (1 - v) * ((1 - u) * a[k] + u * b[k]) + v * ((1 - u) * c[k] + u * d[k]));
      if (!mask.empty())
        mask[to] = slice.mask[static_cast<std::size_t>(std::lround(y) * width + std::lround(x))];
    }
  slice.image = std::move(image);
  slice.mask = std::move(mask);
}

void apply_gamma(Slice& slice, double exponent) {
  const auto channels = static_cast<std::size_t>(slice.channels);
  for (std::size_t c = 0; c < channels; ++c) {
    float low = slice.image[c], high = slice.image[c];
    for (std::size_t i = c; i < slice.image.size(); i += channels) {
      low = std::min(low, slice.image[i]);
      high = std::max(high, slice.image[i]);
    }
    const double range = static_cast<double>(high) - low;
    if (range <= 0) continue;
    for (std::size_t i = c; i < slice.image.size(); i += channels)
      slice.image[i] =
          static_cast<float>(low + range * std::pow((slice.image[i] - low) / range, exponent));
  }
}

double deviation_of(const std::vector<float>& image) {
  const auto count = static_cast<double>(image.size());
  double mean = 0, squares = 0;
  for (const float value : image) mean += value;
  mean /= count;
  for (const float value : image) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / count);
}

}  // namespace

AugmentConfig AugmentConfig::parse(std::string_view text) {
  AugmentConfig config;
  if (text == "none") return config;
  std::set<std::string_view> names;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    const std::string_view item = text.substr(from, comma - from),
                           name = item.substr(0, item.find('='));
    parse_item(config, item);
    check(names.insert(name).second, "augmentation '{}' stands twice; leave one of them out", name);
    from = comma + 1;
  }
  return config;
}

std::string AugmentConfig::str() const {
  std::string text;
  const auto append = [&](const std::string& item) { text += (text.empty() ? "" : ",") + item; };
  for (const Strength& strength : kStrengths)
    if (const double value = this->*strength.value; value != 0)
      append(fmt::format("{}={}", strength.name, value));
  for (const Flag& flag : kFlags)
    if (this->*flag.value) append(flag.name);
  return text.empty() ? "none" : text;
}

nlohmann::json AugmentConfig::to_json() const {
  nlohmann::json json;
  for (const Strength& strength : kStrengths) json[strength.name] = this->*strength.value;
  for (const Flag& flag : kFlags) json[flag.name] = this->*flag.value;
  return json;
}

AugmentConfig AugmentConfig::from_json(const nlohmann::json& json) {
  check(json.is_object(), "augmentation: expected an object, found {}", json.type_name());
  AugmentConfig config;
  for (const Strength& strength : kStrengths) {
    check(json.contains(strength.name) && json[strength.name].is_number(),
          "augmentation: '{}' is missing or not a number", strength.name);
    set_strength(config, strength, json[strength.name].get<double>());
  }
  for (const Flag& flag : kFlags) {
    check(json.contains(flag.name) && json[flag.name].is_boolean(),
          "augmentation: '{}' is missing or neither true nor false", flag.name);
    config.*flag.value = json[flag.name].get<bool>();
  }
  check_known_keys(json, config.to_json(), "augmentation");
  return config;
}

AugmentDraws draw_augment(const AugmentConfig& config, std::uint64_t seed, std::int64_t epoch,
                          std::int64_t sample_index) {
  const auto words =
      philox(seed, static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(sample_index));
  const std::uint64_t key = std::uint64_t{words[1]} << 32 | words[0];
  const Random random(key, kParameterStream);
  const auto within = [&](Draw draw, double limit) {
    return limit * (2 * random.uniform(draw) - 1);
  };
  const double angle = within(kRotate, config.rotate_degrees) * std::numbers::pi / 180;
  const double zoom = 1 + within(kScale, config.scale);
  const double x = config.flip_horizontal && random.uniform(kFlipX) < 0.5 ? -1 : 1;
  const double y = config.flip_vertical && random.uniform(kFlipY) < 0.5 ? -1 : 1;
  const double cosine = std::cos(angle) / zoom, sine = std::sin(angle) / zoom;
  return {.slice = sample_index,
          .xx = x * cosine,
          .xy = x * sine,
          .yx = -y * sine,
          .yy = y * cosine,
          .exponent = config.gamma > 0 ? std::exp(within(kGamma, config.gamma)) : 1,
          .brightness = within(kBrightness, config.brightness),
          .noise = config.noise,
          .noise_key = key};
}

void augment(Slice& slice, const AugmentDraws& draws) {
  if (draws.moves()) resample(slice, draws);
  if (draws.exponent != 1) apply_gamma(slice, draws.exponent);
  if (draws.brightness == 0 && draws.noise == 0) return;

  const double deviation = deviation_of(slice.image);
  const double offset = draws.brightness * deviation, strength = draws.noise * deviation;
  const Random noise(draws.noise_key, kNoiseStream);
  for (std::size_t i = 0; i < slice.image.size(); ++i) {
    const double change = strength > 0 ? offset + strength * noise.normal(i) : offset;
    slice.image[i] = static_cast<float>(slice.image[i] + change);
  }
}

}  // namespace glia
