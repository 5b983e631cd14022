#include "engine/metrics/percentile.h"

#include <algorithm>
#include <cmath>

namespace glia {

double percentile(std::vector<double>& values, double share) {
  const double place = share * static_cast<double>(values.size() - 1);
  const auto lower = values.begin() + static_cast<std::ptrdiff_t>(std::floor(place));
  std::nth_element(values.begin(), lower, values.end());
  const double rest = place - std::floor(place);
  if (rest == 0) return *lower;
  // What follows the lower neighbour is not smaller; the least of it is the upper one.
  return *lower + rest * (*std::min_element(lower + 1, values.end()) - *lower);
}

}  // namespace glia
