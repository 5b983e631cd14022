#include "benchmarks/suite/statistics.h"

#include <algorithm>
#include <cmath>
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

Summary summarize(std::span<const double> samples) {
  return {percentile(samples, 0.5), percentile(samples, 0.2), percentile(samples, 0.8)};
}

}  // namespace glia::bench
