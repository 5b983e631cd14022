#include "engine/metrics/counts.h"

#include <cmath>

namespace glia {

std::optional<double> ratio(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

Counts& Counts::operator+=(const Counts& other) {
  tp += other.tp;
  fp += other.fp;
  fn += other.fn;
  tn += other.tn;
  return *this;
}

std::optional<double> Counts::dice() const {
  return ratio(2 * tp, 2 * tp + fp + fn);
}
std::optional<double> Counts::iou() const {
  return ratio(tp, tp + fp + fn);
}
std::optional<double> Counts::precision() const {
  return ratio(tp, tp + fp);
}
std::optional<double> Counts::sensitivity() const {
  return ratio(tp, tp + fn);
}
std::optional<double> Counts::specificity() const {
  return ratio(tn, tn + fp);
}
std::optional<double> Counts::pixel_accuracy() const {
  return ratio(tp + tn, total());
}
std::optional<double> Counts::volume_error() const {
  return ratio(fp - fn, tp + fn);
}
std::optional<double> Counts::absolute_volume_error() const {
  const auto error = volume_error();
  return error ? std::optional(std::abs(*error)) : std::nullopt;
}

}  // namespace glia
