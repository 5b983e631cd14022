// The scores that an evaluation reports, listed once: tables, files, charts and intervals walk this
// list.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "engine/metrics/counts.h"

namespace glia {

/// One slice, or all slices of one patient.
struct Case {
  std::string id, patient;  // patient is empty when it is not known
  Counts counts;
  std::int64_t slices = 1;
  /// Of a slice: engine/metrics/distance.h. Of a patient: the mean over the slices that have one.
  std::optional<double> hd95 = {};
};

struct Interval {
  double low = 0, high = 0;
};

/// A mean over the units (slices or patients) for which a score is defined.
struct Average {
  std::optional<double> mean;  // nullopt when no unit defines the score
  std::int64_t defined = 0, undefined = 0;
  std::optional<Interval> interval = {};  // of the mean; see engine/metrics/bootstrap.h
};

/// One average a score.
struct Scores {
  Average dice, iou, precision, sensitivity, specificity, pixel_accuracy, volume_error,
      absolute_volume_error, hd95;
};

/// A score: its name in files, its label for people, where it comes from and where its average
/// goes.
struct Score {
  const char* name;
  const char* label;
  std::optional<double> (*of)(const Case&);
  Average Scores::*average;
};

std::span<const Score> all_scores();

}  // namespace glia
