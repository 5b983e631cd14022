// Losses, and the counts of an evaluation.
#include "benchmarks/suite/reference.h"

#include <algorithm>
#include <cmath>

namespace glia::bench {

namespace {

/// Intersection and union of one region.
struct Overlap {
  double intersection = 0, union_ = 0, areas = 0;  // areas: of both
};
template <class Args>
Overlap overlap(const Args& a, std::int64_t region, std::int64_t regions) {
  const std::int64_t rows = a.logits.rows() / regions;
  Overlap found;
  for (std::int64_t row = region * rows; row < (region + 1) * rows; ++row) {
    for (std::int64_t c = 0; c < a.logits.channels(); ++c) {
      const double p = sigmoid(element(a.logits, {row, c})), t = element(a.target, {row, c});
      found.intersection += p * t;
      found.union_ += p + t - p * t;
      found.areas += p + t;
    }
  }
  return found;
}

template <class Args>
std::int64_t regions_of(const Args& a) {
  return a.region == Region::batch ? 1 : a.logits.shape[0];
}

}  // namespace

double reference(const IouLossForward& a, const void* output, Element e) {
  const std::int64_t regions = regions_of(a);
  if (output == a.sums.data) {
    const Overlap found = overlap(a, e.row, regions);
    return e.channel == 0 ? found.intersection : found.union_;
  }
  double loss = 0;
  for (std::int64_t region = 0; region < regions; ++region) {
    const Overlap found = overlap(a, region, regions);
    loss -= std::log((found.intersection + a.smooth) / (found.union_ + a.smooth));
  }
  return loss / static_cast<double>(regions);
}

double reference(const IouLossOfSums& a, const void*, Element) {
  double loss = 0;
  for (std::int64_t region = 0; region < a.sums.rows(); ++region)
    loss -= std::log((element(a.sums, {region, 0}) + a.smooth) /
                     (element(a.sums, {region, 1}) + a.smooth));
  return loss / static_cast<double>(a.sums.rows());
}

double reference(const IouLossBackward& a, const void*, Element e) {
  const std::int64_t regions = regions_of(a);
  const std::int64_t region = e.row / (a.logits.rows() / regions);
  const double p = sigmoid(element(a.logits, e)), t = element(a.target, e);
  const double i = element(a.sums, {region, 0}) + a.smooth,
               u = element(a.sums, {region, 1}) + a.smooth;
  return element(a.dloss, {0, 0}) / static_cast<double>(regions) * p * (1 - p) *
         ((1 - t) / u - t / i);
}

double reference(const DiceLossForward& a, const void* output, Element e) {
  const std::int64_t regions = regions_of(a);
  if (output == a.sums.data) {
    const Overlap found = overlap(a, e.row, regions);
    return e.channel == 0 ? found.intersection : found.areas;
  }
  double loss = 0;
  for (std::int64_t region = 0; region < regions; ++region) {
    const Overlap found = overlap(a, region, regions);
    loss += 1 - (2 * found.intersection + a.smooth) / (found.areas + a.smooth);
  }
  return loss / static_cast<double>(regions);
}

double reference(const DiceLossOfSums& a, const void*, Element) {
  double loss = 0;
  for (std::int64_t region = 0; region < a.sums.rows(); ++region)
    loss += 1 - (2 * element(a.sums, {region, 0}) + a.smooth) /
                    (element(a.sums, {region, 1}) + a.smooth);
  return loss / static_cast<double>(a.sums.rows());
}

double reference(const DiceLossBackward& a, const void*, Element e) {
  const std::int64_t regions = regions_of(a);
  const std::int64_t region = e.row / (a.logits.rows() / regions);
  const double p = sigmoid(element(a.logits, e)), t = element(a.target, e);
  const double i = 2 * element(a.sums, {region, 0}) + a.smooth,
               d = element(a.sums, {region, 1}) + a.smooth;
  return -element(a.dloss, {0, 0}) / static_cast<double>(regions) * p * (1 - p) * (2 * t * d - i) /
         (d * d);
}

double reference(const BceWithLogitsForward& a, const void*, Element) {
  double sum = 0;
  for (std::int64_t row = 0; row < a.logits.rows(); ++row)
    for (std::int64_t c = 0; c < a.logits.channels(); ++c) {
      const double z = element(a.logits, {row, c}), t = element(a.target, {row, c});
      sum += std::max(z, 0.0) - z * t + std::log1p(std::exp(-std::abs(z)));
    }
  return sum / static_cast<double>(a.logits.shape.numel());
}

double reference(const BceWithLogitsBackward& a, const void*, Element e) {
  return element(a.dloss, {0, 0}) * (sigmoid(element(a.logits, e)) - element(a.target, e)) /
         static_cast<double>(a.logits.shape.numel());
}

double reference(const ConfusionCounts& a, const void*, Element e) {
  const std::int64_t rows = a.prediction.rows() / a.prediction.shape[0];
  double counts[4] = {};  // TP, FP, FN, TN
  for (std::int64_t row = e.row * rows; row < (e.row + 1) * rows; ++row)
    for (std::int64_t c = 0; c < a.prediction.channels(); ++c) {
      const bool found = element(a.prediction, {row, c}) > a.t;
      const bool wanted = element(a.target, {row, c}) > 0.5;
      counts[wanted ? (found ? 0 : 2) : (found ? 1 : 3)] += 1;
    }
  return counts[e.channel];
}

}  // namespace glia::bench
