// Losses on logits and the counts of evaluation.
#include <cmath>

#include "benchmarks/reference/reference.h"

namespace glia::reference {

namespace {

/// Sums in long double: where many pixels are alike, roundings of a double go the same way, and
/// differences of two losses would show them.
struct Overlap {
  long double intersection = 0, prediction = 0, target = 0;
};

/// sum p*t, sum p and sum t of every region, p = sigmoid(logits).
std::vector<Overlap> overlaps(std::size_t regions, const Values& logits, const Values& target) {
  const Values p = sigmoid(logits);
  std::vector<Overlap> result(regions);
  for (std::size_t i = 0; i < p.size(); ++i) {
    Overlap& region = result[i / (p.size() / regions)];
    region.intersection += p[i] * target[i];
    region.prediction += p[i];
    region.target += target[i];
  }
  return result;
}

}  // namespace

Loss iou_loss(std::size_t regions, const Values& logits, const Values& target, double smooth) {
  Loss result;
  for (const Overlap& o : overlaps(regions, logits, target)) {
    const auto united = static_cast<double>(o.prediction + o.target - o.intersection);
    const auto intersection = static_cast<double>(o.intersection);
    result.loss -= std::log((intersection + smooth) / (united + smooth));
    result.sums.insert(result.sums.end(), {intersection, united});
  }
  result.loss /= static_cast<double>(regions);
  return result;
}

Loss dice_loss(std::size_t regions, const Values& logits, const Values& target, double smooth) {
  Loss result;
  for (const Overlap& o : overlaps(regions, logits, target)) {
    const auto cardinality = static_cast<double>(o.prediction + o.target);
    const auto intersection = static_cast<double>(o.intersection);
    result.loss += 1 - (2 * intersection + smooth) / (cardinality + smooth);
    result.sums.insert(result.sums.end(), {intersection, cardinality});
  }
  result.loss /= static_cast<double>(regions);
  return result;
}

double bce_with_logits(const Values& logits, const Values& target) {
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double z = logits[i];
    sum += (z > 0 ? z : 0) - z * target[i] + std::log1p(std::exp(-std::abs(z)));
  }
  return sum / static_cast<double>(logits.size());
}

Values confusion_counts(std::size_t images, const Values& prediction, const Values& target,
                        double t) {
  Values counts(images * 4);
  for (std::size_t i = 0; i < prediction.size(); ++i) {
    const bool said = prediction[i] > t, is = target[i] > 0.5;
    const std::size_t column = said ? (is ? 0 : 1) : (is ? 2 : 3);
    counts[i / (prediction.size() / images) * 4 + column] += 1;
  }
  return counts;
}

}  // namespace glia::reference
