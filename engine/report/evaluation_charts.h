// The charts of an evaluation.
#pragma once

#include <span>
#include <string>

#include "engine/metrics/calibration.h"
#include "engine/metrics/scores.h"
#include "engine/metrics/threshold_curve.h"
#include "engine/report/line_chart.h"

namespace glia {

/// Dice of every case that defines it, worst first: the whole distribution, and each case by name
/// where the pointer rests. `unit` is what a case is, "patient" or "slice".
LineChart dice_chart(std::span<const Case> cases, const std::string& unit);

/// Dice by threshold, one line an average, with the threshold in use marked.
LineChart threshold_chart(const ThresholdCurve& curve, double threshold);

/// Share of tumour by predicted probability. On the diagonal, probabilities mean what they say;
/// below it, the network is too sure.
LineChart reliability_chart(const Calibration& calibration);

}  // namespace glia
