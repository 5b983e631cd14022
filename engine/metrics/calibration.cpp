#include "engine/metrics/calibration.h"

#include <algorithm>
#include <cmath>

#include "engine/base/check.h"

namespace glia {

std::optional<double> Calibration::Bin::mean_probability() const {
  if (pixels == 0) return std::nullopt;
  return probability / static_cast<double>(pixels);
}

std::optional<double> Calibration::Bin::tumour_share() const {
  if (pixels == 0) return std::nullopt;
  return static_cast<double>(tumour) / static_cast<double>(pixels);
}

void Calibration::add(std::span<const float> probability, std::span<const float> truth) {
  check(probability.size() == truth.size(),
        "calibration: {} probabilities and {} pixels of truth; they must match", probability.size(),
        truth.size());
  for (std::size_t i = 0; i < truth.size(); ++i) {
    // Written so that NaN is 0.
    const double p = probability[i] > 0 ? std::min(static_cast<double>(probability[i]), 1.0) : 0;
    const bool tumour = truth[i] > 0.5F;
    Bin& bin = bins_[static_cast<std::size_t>(std::min(static_cast<int>(p * kBins), kBins - 1))];
    ++bin.pixels;
    bin.tumour += tumour;
    bin.probability += p;
    squares_ += (p - tumour) * (p - tumour);
  }
}

std::optional<double> Calibration::expected_error(int first_bin) const {
  double error = 0, pixels = 0;
  for (std::size_t b = static_cast<std::size_t>(first_bin); b < bins_.size(); ++b) {
    error += std::abs(static_cast<double>(bins_[b].tumour) - bins_[b].probability);
    pixels += static_cast<double>(bins_[b].pixels);
  }
  if (pixels == 0) return std::nullopt;
  return error / pixels;
}

std::optional<double> Calibration::brier() const {
  double pixels = 0;
  for (const Bin& bin : bins_) pixels += static_cast<double>(bin.pixels);
  if (pixels == 0) return std::nullopt;
  return squares_ / pixels;
}

}  // namespace glia
