#include "engine/sweep/grid.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/train/trainer.h"

namespace glia::sweep {

namespace {

template <class Number>
Number read_number(std::string_view text, const char* flag, const char* expected) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  check(error == std::errc{} && stop == end && value > 0, "--{}: found '{}', expected {}", flag,
        text, expected);
  return value;
}

std::string read_whole(std::string_view text, const char* flag) {
  return std::to_string(read_number<std::int64_t>(text, flag, "a whole number above 0"));
}

std::string read_batch_size(std::string_view text) {
  return read_whole(text, "batch-size");
}

std::string read_learning_rate(std::string_view text) {
  return fmt::format("{}", read_number<double>(text, "learning-rate", "a number above 0"));
}

std::string read_optimizer(std::string_view text) {
  return optim::name_of(optim::parse_kind(text));
}

std::string read_loss(std::string_view text) {
  return Objective::parse(text, Region::batch, 1).str();
}

std::string read_base_width(std::string_view text) {
  return read_whole(text, "base-width");
}

std::string read_augment(std::string_view text) {
  return AugmentConfig::parse(text).str();
}

constexpr std::array kSettings = {
    Setting{"batch-size", "batch size", "batch", ',', true, read_batch_size},
    Setting{"learning-rate", "learning rate", "rate", ',', false, read_learning_rate},
    Setting{"optimizer", "optimizer", "optimizer", ',', false, read_optimizer},
    Setting{"loss", "loss", "loss", ',', false, read_loss},
    Setting{"base-width", "base width", "width", ',', true, read_base_width},
    Setting{"augment", "augmentation", "augment", '/', false, read_augment},
};

std::vector<std::string_view> parts_of(std::string_view list, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0; from <= list.size();) {
    const std::size_t to = std::min(list.find(separator, from), list.size());
    parts.push_back(list.substr(from, to - from));
    from = to + 1;
  }
  return parts;
}

}  // namespace

std::span<const Setting> settings() {
  return kSettings;
}

std::vector<std::string> read_values(const Setting& setting, std::string_view list) {
  std::vector<std::string> values;
  for (const std::string_view part : parts_of(list, setting.separator)) {
    const std::string value = setting.read(part);
    check(std::find(values.begin(), values.end(), value) == values.end(),
          "--{}: found {} twice in '{}'; name each value once, and repeat trials with --seeds",
          setting.flag, value, list);
    values.push_back(value);
  }
  return values;
}

std::vector<std::int64_t> read_epochs(std::string_view list) {
  std::vector<std::int64_t> epochs;
  for (const std::string_view part : parts_of(list, ','))
    epochs.push_back(read_number<std::int64_t>(part, "epochs", "whole numbers above 0"));
  std::sort(epochs.begin(), epochs.end());
  epochs.erase(std::unique(epochs.begin(), epochs.end()), epochs.end());
  return epochs;
}

std::vector<Point> Grid::points() const {
  std::vector<std::vector<std::string>> combinations{{}};
  for (const auto& list : values) {
    std::vector<std::vector<std::string>> longer;
    for (const auto& combination : combinations)
      for (const std::string& value : list) {
        longer.push_back(combination);
        longer.back().push_back(value);
      }
    combinations = std::move(longer);
  }
  std::vector<Point> points;
  for (std::int64_t seed = 0; seed < seeds; ++seed)
    for (const auto& combination : combinations)
      points.push_back({combination, static_cast<std::uint64_t>(seed)});
  return points;
}

std::vector<std::size_t> Grid::varied() const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i].size() > 1) found.push_back(i);
  return found;
}

}  // namespace glia::sweep
