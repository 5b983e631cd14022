#include "benchmarks/suite/compare.h"

#include <algorithm>

#include "benchmarks/suite/statistics.h"
#include "engine/base/check.h"
#include "engine/metrics/bootstrap.h"

namespace glia::bench {

namespace {

constexpr std::int64_t kResamples = 2000;
constexpr double kConfidence = 0.99;

/// The medians of resamples of the samples, in the order of their numbers.
std::vector<double> medians_of(const std::vector<double>& samples, std::uint64_t seed) {
  std::vector<double> medians, drawn(samples.size());
  for (std::int64_t i = 0; i < kResamples; ++i) {
    const std::vector<std::size_t> places = resample(seed, i, samples.size());
    for (std::size_t k = 0; k < drawn.size(); ++k) drawn[k] = samples[places[k]];
    medians.push_back(percentile(drawn, 0.5));
  }
  return medians;
}

const TimedItem* find(const BenchFile& file, const std::string& key) {
  for (const TimedItem& item : file.items)
    if (item.key == key) return &item;
  return nullptr;
}

double median_or_0(const TimedItem* item) {
  return item == nullptr || item->seconds.empty() ? 0 : percentile(item->seconds, 0.5);
}

ComparedItem::Other other_of(const TimedItem* first, const TimedItem* item) {
  ComparedItem::Other other{.seconds = median_or_0(item)};
  if (item == nullptr) {
    other.note = "not there";
  } else if (item->seconds.empty()) {
    other.note = item->problem.empty() ? "not timed" : item->problem;
  } else if (first == nullptr || first->seconds.empty()) {
    other.note = first == nullptr ? "only there" : "the first was not timed";
  } else {
    other.ratio = ratio_of(first->seconds, item->seconds);
    if (first->how != item->how) other.note = fmt::format("{} -> {}", first->how, item->how);
  }
  return other;
}

std::vector<EnvironmentDifference> differences(const std::vector<BenchFile>& files) {
  std::vector<EnvironmentDifference> found;
  std::vector<std::string> seen;
  for (const BenchFile& file : files)
    for (const auto& entry : file.environment) {
      if (std::find(seen.begin(), seen.end(), entry.first) != seen.end()) continue;
      seen.push_back(entry.first);
      EnvironmentDifference difference{entry.first, {}};
      for (const BenchFile& of : files) {
        const auto at = std::find_if(of.environment.begin(), of.environment.end(),
                                     [&](const auto& e) { return e.first == entry.first; });
        difference.values.push_back(at == of.environment.end() ? "-" : at->second);
      }
      const auto& values = difference.values;
      if (std::any_of(values.begin(), values.end(),
                      [&](const std::string& value) { return value != values[0]; }))
        found.push_back(std::move(difference));
    }
  return found;
}

}  // namespace

TimeRatio ratio_of(const std::vector<double>& first, const std::vector<double>& second) {
  const double median = percentile(first, 0.5);
  check(median > 0, "compare: found a median of {} s, expected more than 0", median);
  const std::vector<double> below = medians_of(first, 1), above = medians_of(second, 2);
  std::vector<double> ratios;
  for (std::size_t i = 0; i < below.size(); ++i) ratios.push_back(above[i] / below[i]);
  const double tail = (1 - kConfidence) / 2;
  return {percentile(second, 0.5) / median, percentile(ratios, tail), percentile(ratios, 1 - tail)};
}

Comparison compare(const std::vector<BenchFile>& files) {
  check(files.size() >= 2, "compare: found {} files, expected two or more", files.size());
  Comparison comparison{.files = {}, .environment = differences(files), .items = {}};
  std::vector<std::string> seen;
  for (const BenchFile& file : files) {
    comparison.files.push_back(file.name);
    for (const TimedItem& item : file.items) {
      if (std::find(seen.begin(), seen.end(), item.key) != seen.end()) continue;
      seen.push_back(item.key);
      const TimedItem* first = find(files[0], item.key);
      ComparedItem compared{item.key, item.name, median_or_0(first), {}};
      for (std::size_t i = 1; i < files.size(); ++i)
        compared.others.push_back(other_of(first, find(files[i], item.key)));
      comparison.items.push_back(std::move(compared));
    }
  }
  return comparison;
}

std::vector<std::string> slower_by(const Comparison& comparison, double share) {
  std::vector<std::string> names;
  for (const ComparedItem& item : comparison.items)
    if (std::any_of(item.others.begin(), item.others.end(), [&](const ComparedItem::Other& other) {
          return other.ratio && other.ratio->low > 1 + share;
        }))
      names.push_back(item.name);
  return names;
}

}  // namespace glia::bench
