// A comparison as a table, and as JSON.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "benchmarks/suite/compare.h"

namespace glia::bench {

namespace {

std::string time_text(double seconds) {
  if (seconds == 0) return "-";
  if (seconds >= 1) return fmt::format("{:.4g} s", seconds);
  if (seconds >= 1e-3) return fmt::format("{:.4g} ms", 1e3 * seconds);
  return fmt::format("{:.4g} us", 1e6 * seconds);
}

std::string verdict(const TimeRatio& ratio) {
  if (!ratio.distinguishable()) return "not distinguishable";
  return ratio.ratio > 1 ? "slower" : "faster";
}

std::string other_text(const ComparedItem::Other& other) {
  std::string text = fmt::format("{:>9}", time_text(other.seconds));
  if (other.ratio)
    text += fmt::format("  {:5.3f} [{:5.3f}, {:5.3f}]  {}", other.ratio->ratio, other.ratio->low,
                        other.ratio->high, verdict(*other.ratio));
  if (!other.note.empty()) text += (other.ratio ? "; " : "  ") + other.note;
  return text;
}

}  // namespace

std::string comparison_text(const Comparison& comparison) {
  std::string text;
  for (std::size_t i = 0; i < comparison.files.size(); ++i)
    text += fmt::format("file {}  {}\n", i + 1, comparison.files[i]);
  for (const EnvironmentDifference& difference : comparison.environment) {
    text += fmt::format("differs: {}\n", difference.what);
    for (std::size_t i = 0; i < difference.values.size(); ++i)
      text += fmt::format("  file {}  {}\n", i + 1, difference.values[i]);
  }
  if (comparison.environment.empty()) text += "environment and settings are the same\n";
  text +=
      "\nmedian of file 1; then of each other its own, how many times as long, and between what "
      "bounds (99 %)\n";
  std::size_t width = 0;
  for (const ComparedItem& item : comparison.items) width = std::max(width, item.name.size());
  for (const ComparedItem& item : comparison.items)
    for (std::size_t i = 0; i < item.others.size(); ++i) {
      const std::string file =
          comparison.files.size() > 2 ? fmt::format("  file {}", i + 2) : std::string();
      text += fmt::format("{:<{}}  {:>9}{}  {}\n", i == 0 ? item.name : "", width,
                          i == 0 ? time_text(item.seconds) : "", file, other_text(item.others[i]));
    }
  return text;
}

nlohmann::ordered_json comparison_json(const Comparison& comparison) {
  using Value = nlohmann::ordered_json;
  Value json = {
      {"format", 1},        {"program", "glia bench --compare"}, {"files", comparison.files},
      {"confidence", 0.99}, {"environment", Value::array()},     {"items", Value::array()}};
  for (const EnvironmentDifference& difference : comparison.environment)
    json["environment"].push_back({{"what", difference.what}, {"values", difference.values}});
  for (const ComparedItem& item : comparison.items) {
    Value others = Value::array();
    for (const ComparedItem::Other& other : item.others) {
      Value entry = {{"median_s", other.seconds > 0 ? Value(other.seconds) : Value()},
                     {"ratio", nullptr},
                     {"low", nullptr},
                     {"high", nullptr},
                     {"verdict", nullptr},
                     {"note", other.note}};
      if (other.ratio) {
        entry["ratio"] = other.ratio->ratio;
        entry["low"] = other.ratio->low;
        entry["high"] = other.ratio->high;
        entry["verdict"] = verdict(*other.ratio);
      }
      others.push_back(entry);
    }
    json["items"].push_back({{"name", item.name},
                             {"median_s", item.seconds > 0 ? Value(item.seconds) : Value()},
                             {"others", others}});
  }
  return json;
}

}  // namespace glia::bench
