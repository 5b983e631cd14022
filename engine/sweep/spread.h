// Mean and spread of a figure over seeds.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

namespace glia::sweep {

struct Spread {
  std::int64_t n = 0;
  double mean = std::numeric_limits<double>::quiet_NaN();       // NaN without values
  double deviation = std::numeric_limits<double>::quiet_NaN();  // of the sample, sqrt(S / (n - 1));
                                                                // NaN below two values
};

Spread spread_of(std::span<const double> values);

}  // namespace glia::sweep
