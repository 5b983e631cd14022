// How far an average would move if other patients had been measured: percentile bootstrap over
// patients (Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/metrics/evaluation.h"

namespace glia {

struct BootstrapConfig {
  std::int64_t resamples = 2000;
  std::uint64_t seed = 0;
  double level = 0.95;
};

/// Which of `count` patients make resample `number`, as places from 0: a function of its arguments
/// alone.
std::vector<std::size_t> resample(std::uint64_t seed, std::int64_t number, std::size_t count);

/// Sets the intervals of the averages in `summary`, which must be that of `evaluation`.
///
/// Patients are drawn with replacement, as many as there are, each with all of its slices: slices
/// of one patient are not independent, so drawing slices would make the intervals too narrow. Every
/// average is computed anew on each resample, and the interval ends at the percentiles that leave
/// (1 - level) / 2 on each side. Resamples in which an average is undefined do not count for it.
/// All averages see the same resamples.
///
/// Nothing is set when a slice's patient is unknown, or with fewer than two patients. Throws
/// `Error` unless 0 < level < 1 and there is at least one resample.
void add_intervals(Summary& summary, const Evaluation& evaluation, const BootstrapConfig& config);

}  // namespace glia
