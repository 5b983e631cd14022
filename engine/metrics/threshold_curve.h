// Dice at every threshold, from one pass over the probabilities.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/metrics/counts.h"

namespace glia {

class ThresholdCurve {
 public:
  static constexpr int kThresholds = 99;
  /// 0.01, 0.02, … 0.99 for k from 0.
  static double threshold(int k) { return (k + 1) / 100.0; }

  /// Mean Dice, with the averages and the rules for empty masks of `Evaluation`.
  struct Point {
    double threshold = 0;
    std::optional<double> per_slice, per_patient, pooled;
  };

  /// Adds a slice of `patient` ("": not known, left out of the mean over patients). A pixel is
  /// predicted when its probability is above the threshold, tumour when its truth is above 0.5.
  /// Throws `Error` when the sizes differ.
  void add(std::string patient, std::span<const float> probability, std::span<const float> truth);

  /// One a threshold, ascending; empty before the first slice.
  std::vector<Point> points() const;
  /// The point with the highest Dice per patient (per slice when no patient is known), the lowest
  /// threshold where several share it. Undefined when Dice is.
  std::optional<Point> best() const;

 private:
  /// Pixels by the number of thresholds below their probability.
  struct Histogram {
    std::array<std::uint32_t, kThresholds + 1> tumour{}, background{};
  };
  struct Slice {
    std::string patient;
    Histogram histogram;
  };
  /// The counts at each threshold.
  static std::array<Counts, kThresholds> counts(const Histogram& histogram);

  std::vector<Slice> slices_;
};

}  // namespace glia
