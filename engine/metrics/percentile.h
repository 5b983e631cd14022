// Percentiles, defined once for distances and for intervals.
#pragma once

#include <vector>

namespace glia {

/// The value below which `share` (0 to 1) of the values lie: with the values sorted, the one at
/// place share * (n - 1), between two of them interpolated linearly. Reorders `values`, which must
/// not be empty.
double percentile(std::vector<double>& values, double share);

}  // namespace glia
