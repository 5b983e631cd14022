#include "engine/data/preprocess.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/base/check.h"
#include "engine/base/json.h"

namespace glia {
namespace {

constexpr std::array kChoices = {Preprocess::Normalize::none, Preprocess::Normalize::slice,
                                 Preprocess::Normalize::dataset};

/// Count, mean and sum of squared distances from the mean of one channel, merged slice by slice
/// (Chan, Golub, LeVeque 1979): no cancellation, whatever the offset of the data.
struct Moments {
  double count = 0, mean = 0, squares = 0;

  void add(const Moments& other) {
    const double total = count + other.count, delta = other.mean - mean;
    mean += delta * other.count / total;
    squares += other.squares + delta * delta * count * other.count / total;
    count = total;
  }
  double deviation() const {
    return std::max(std::sqrt(squares / count), Preprocess::kSmallestDeviation);
  }
};

Moments moments_of(std::span<const float> image, std::size_t channel, std::size_t channels) {
  Moments m;
  m.count = static_cast<double>(image.size() / channels);
  for (std::size_t i = channel; i < image.size(); i += channels) m.mean += image[i];
  m.mean /= m.count;
  for (std::size_t i = channel; i < image.size(); i += channels)
    m.squares += (image[i] - m.mean) * (image[i] - m.mean);
  return m;
}

void shift_and_scale(std::span<float> image, std::size_t channel, std::size_t channels, double mean,
                     double deviation) {
  for (std::size_t i = channel; i < image.size(); i += channels)
    image[i] = static_cast<float>((image[i] - mean) / deviation);
}

std::vector<float> numbers(const nlohmann::json& json, const char* key) {
  check(json.contains(key) && json[key].is_array(),
        "preprocessing: '{}' is missing or not a list of numbers; the checkpoint is damaged", key);
  std::vector<float> values;
  for (const auto& item : json[key]) {
    check(item.is_number() && std::abs(item.get<double>()) <= std::numeric_limits<float>::max(),
          "preprocessing: '{}' holds {}, expected a number within the range of float32; the "
          "checkpoint is damaged",
          key, item.dump());
    values.push_back(item.get<float>());
  }
  return values;
}

}  // namespace

const char* name_of(Preprocess::Normalize normalize) {
  switch (normalize) {
    case Preprocess::Normalize::none: return "none";
    case Preprocess::Normalize::slice: return "slice";
    case Preprocess::Normalize::dataset: return "dataset";
  }
  return "?";
}

Preprocess::Normalize parse_normalize(std::string_view text) {
  for (const auto choice : kChoices)
    if (text == name_of(choice)) return choice;
  fail("normalization '{}' is unknown; expected none, slice or dataset", text);
}

Preprocess Preprocess::fit(Normalize normalize, const std::vector<Sample>& samples) {
  Preprocess result;
  result.normalize = normalize;
  if (normalize != Normalize::dataset) return result;
  check(!samples.empty(), "normalization 'dataset' needs at least one training slice, found none");
  std::vector<Moments> total;
  for (const Sample& sample : samples) {
    const Slice slice = load_slice(sample);
    const auto channels = static_cast<std::size_t>(slice.channels);
    if (total.empty()) total.resize(channels);
    check(channels == total.size(), "{}: {} channels, expected {} as in {}", sample.image.string(),
          channels, total.size(), samples.front().image.string());
    for (std::size_t c = 0; c < channels; ++c) total[c].add(moments_of(slice.image, c, channels));
  }
  for (const Moments& m : total) {
    result.mean.push_back(static_cast<float>(m.mean));
    result.stddev.push_back(static_cast<float>(m.deviation()));
  }
  return result;
}

void Preprocess::check_channels(std::int64_t channels) const {
  check(normalize != Normalize::dataset || std::ssize(mean) == channels,
        "preprocessing: {} means for a network of {} channels; the checkpoint is damaged",
        mean.size(), channels);
}

void Preprocess::apply(std::span<float> image, std::int64_t channels) const {
  if (normalize == Normalize::none) return;
  const auto count = static_cast<std::size_t>(channels);
  if (normalize == Normalize::dataset)
    check(
        mean.size() == count,
        "the image has {} channels, but the preprocessing was fitted on {}; use images like those "
        "of the training",
        count, mean.size());
  for (std::size_t c = 0; c < count; ++c) {
    if (normalize == Normalize::dataset) {
      shift_and_scale(image, c, count, mean[c], std::max<double>(stddev[c], kSmallestDeviation));
    } else {
      const Moments m = moments_of(image, c, count);
      shift_and_scale(image, c, count, m.mean, m.deviation());
    }
  }
}

nlohmann::json Preprocess::to_json() const {
  return {{"normalize", name_of(normalize)}, {"mean", mean}, {"std", stddev}};
}

Preprocess Preprocess::from_json(const nlohmann::json& json) {
  check(json.is_object() && json.contains("normalize") && json["normalize"].is_string(),
        "preprocessing: 'normalize' is missing or not a text; the checkpoint is damaged");
  Preprocess result;
  result.normalize = parse_normalize(json["normalize"].get<std::string>());
  result.mean = numbers(json, "mean");
  result.stddev = numbers(json, "std");
  for (const float deviation : result.stddev)
    check(deviation > 0,
          "preprocessing: 'std' holds {}, expected standard deviations above 0; the checkpoint is "
          "damaged",
          deviation);
  check_known_keys(json, result.to_json(), "preprocessing");
  check(result.mean.size() == result.stddev.size(),
        "preprocessing: {} means but {} standard deviations; the checkpoint is damaged",
        result.mean.size(), result.stddev.size());
  const bool fitted = !result.mean.empty();
  check(fitted == (result.normalize == Normalize::dataset),
        "preprocessing: normalize is {}, with {} means; the checkpoint is damaged",
        name_of(result.normalize), result.mean.size());
  return result;
}

}  // namespace glia
