// Medians and percentiles: a mean would follow the one sample during which the machine did
// something else.
#pragma once

#include <span>

namespace glia::bench {

/// The value below which a share `q` of the samples lies, between two samples on the line through
/// them. Throws `Error` without samples or with q outside [0, 1].
double percentile(std::span<const double> samples, double q);

struct Summary {
  double median = 0, p20 = 0, p80 = 0;

  /// Half the distance from p20 to p80, as a share of the median.
  double spread() const { return median > 0 ? (p80 - p20) / 2 / median : 0; }
};

Summary summarize(std::span<const double> samples);

/// Half of an interval in which the median of what is sampled lies with a confidence of 99 %, as a
/// share of the samples' median: between the two samples that are so many places from either end
/// (David and Nagaraja, "Order statistics", 2003, section 7.1, by the binomial distribution's
/// normal approximation). Infinite with fewer than eight samples, of which no two reach that.
double median_uncertainty(std::span<const double> samples);

}  // namespace glia::bench
