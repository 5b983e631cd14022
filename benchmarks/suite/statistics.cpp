#include "benchmarks/suite/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/base/check.h"

namespace glia::bench {

double percentile(std::span<const double> samples, double q) {
  check(!samples.empty(), "percentile: found no samples, expected one or more");
  check(q >= 0 && q <= 1, "percentile: found the share {}, expected 0 to 1", q);
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - std::floor(place)) * (sorted[above] - sorted[below]);
}

double median_uncertainty(std::span<const double> samples) {
  constexpr double kDeviations = 2.576;  // of a normal distribution, within which 99 % lie
  const auto n = static_cast<double>(samples.size());
  const double place = std::floor((n - kDeviations * std::sqrt(n)) / 2);
  const double median = samples.size() < 8 ? 0 : percentile(samples, 0.5);
  if (place < 0 || median <= 0) return std::numeric_limits<double>::infinity();
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  const auto low = static_cast<std::size_t>(place);
  return (sorted[sorted.size() - 1 - low] - sorted[low]) / 2 / median;
}

Summary summarize(std::span<const double> samples) {
  return {percentile(samples, 0.5), percentile(samples, 0.2), percentile(samples, 0.8)};
}

}  // namespace glia::bench
