// An evaluation as plain text for a terminal.
#pragma once

#include <string>

#include "engine/metrics/calibration.h"
#include "engine/metrics/evaluation.h"
#include "engine/metrics/threshold_curve.h"

namespace glia {

/// One row a score, one column an average with the number of units behind it, the interval of the
/// mean over patients, then the counts. Ends in a newline.
std::string format_table(const Summary& summary);

/// Two lines: the threshold with the best Dice, and how well probabilities are calibrated. Empty
/// when nothing was collected.
std::string format_details(const ThresholdCurve& thresholds, const Calibration& calibration);

}  // namespace glia
