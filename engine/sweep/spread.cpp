#include "engine/sweep/spread.h"

#include <cmath>

namespace glia::sweep {

Spread spread_of(std::span<const double> values) {
  Spread spread{.n = static_cast<std::int64_t>(values.size())};
  if (values.empty()) return spread;
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  spread.mean = sum / n;
  if (values.size() < 2) return spread;
  double squares = 0;
  for (const double value : values) squares += (value - spread.mean) * (value - spread.mean);
  spread.deviation = std::sqrt(squares / (n - 1));
  return spread;
}

}  // namespace glia::sweep
