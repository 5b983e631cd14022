#include "engine/metrics/threshold_curve.h"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/base/check.h"

namespace glia {

namespace {

/// How many thresholds lie below the probability.
std::size_t thresholds_below(float p) {
  static const auto thresholds = [] {
    std::array<float, ThresholdCurve::kThresholds> values{};
    for (int k = 0; k < ThresholdCurve::kThresholds; ++k)
      values[static_cast<std::size_t>(k)] = static_cast<float>(ThresholdCurve::threshold(k));
    return values;
  }();
  // Most pixels are sure to be background. Written so that NaN is too.
  if (!(p > thresholds.front())) return 0;
  const auto first_not_below = std::lower_bound(thresholds.begin(), thresholds.end(), p);
  return static_cast<std::size_t>(first_not_below - thresholds.begin());
}

/// A mean at each threshold.
struct Means {
  std::array<double, ThresholdCurve::kThresholds> sum{};
  std::array<std::int64_t, ThresholdCurve::kThresholds> defined{};

  void add(const std::array<Counts, ThresholdCurve::kThresholds>& counts) {
    for (std::size_t k = 0; k < counts.size(); ++k)
      if (const auto dice = counts[k].dice()) {
        sum[k] += *dice;
        ++defined[k];
      }
  }
  std::optional<double> at(std::size_t k) const {
    if (defined[k] == 0) return std::nullopt;
    return sum[k] / static_cast<double>(defined[k]);
  }
};

}  // namespace

void ThresholdCurve::add(std::string patient, std::span<const float> probability,
                         std::span<const float> truth) {
  check(probability.size() == truth.size(),
        "threshold curve: {} probabilities and {} pixels of truth; they must match",
        probability.size(), truth.size());
  Slice& slice = slices_.emplace_back();
  slice.patient = std::move(patient);
  for (std::size_t i = 0; i < truth.size(); ++i) {
    auto& pixels = truth[i] > 0.5F ? slice.histogram.tumour : slice.histogram.background;
    ++pixels[thresholds_below(probability[i])];
  }
}

std::array<Counts, ThresholdCurve::kThresholds> ThresholdCurve::counts(const Histogram& histogram) {
  Counts at;  // first with everything predicted
  for (const std::uint32_t pixels : histogram.tumour) at.tp += pixels;
  for (const std::uint32_t pixels : histogram.background) at.fp += pixels;
  std::array<Counts, kThresholds> all;
  for (std::size_t k = 0; k < all.size(); ++k) {
    at.tp -= histogram.tumour[k];
    at.fn += histogram.tumour[k];
    at.fp -= histogram.background[k];
    at.tn += histogram.background[k];
    all[k] = at;
  }
  return all;
}

std::vector<ThresholdCurve::Point> ThresholdCurve::points() const {
  if (slices_.empty()) return {};
  using AllCounts = std::array<Counts, kThresholds>;
  const auto add_to = [](AllCounts& sum, const AllCounts& counts) {
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += counts[k];
  };
  Means per_slice, per_patient, pooled;
  std::map<std::string, AllCounts> patients;
  AllCounts all{};
  for (const Slice& slice : slices_) {
    const AllCounts at = counts(slice.histogram);
    per_slice.add(at);
    add_to(all, at);
    if (!slice.patient.empty()) add_to(patients[slice.patient], at);
  }
  for (const auto& [patient, at] : patients) per_patient.add(at);
  pooled.add(all);
  std::vector<Point> points;
  for (int k = 0; k < kThresholds; ++k) {
    const auto i = static_cast<std::size_t>(k);
    points.push_back({threshold(k), per_slice.at(i), per_patient.at(i), pooled.at(i)});
  }
  return points;
}

std::optional<ThresholdCurve::Point> ThresholdCurve::best() const {
  std::optional<Point> best;
  double best_dice = 0;
  for (const Point& point : points()) {
    const auto dice = point.per_patient ? point.per_patient : point.per_slice;
    if (!dice || (best && *dice <= best_dice)) continue;
    best = point;
    best_dice = *dice;
  }
  return best;
}

}  // namespace glia
