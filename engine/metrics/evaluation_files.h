// An evaluation as JSON and as tables for a spreadsheet.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/metrics/bootstrap.h"
#include "engine/metrics/calibration.h"
#include "engine/metrics/evaluation.h"
#include "engine/metrics/threshold_curve.h"

namespace glia {

/// The averages with their intervals, and the counts. Undefined scores are null.
nlohmann::ordered_json summary_json(const Summary& summary);

/// The summary, and the tables "patients" and "slices" with every case's counts and scores.
nlohmann::ordered_json evaluation_json(const Evaluation& evaluation, const Summary& summary);

nlohmann::ordered_json calibration_json(const Calibration& calibration);
nlohmann::ordered_json threshold_json(const ThresholdCurve& curve);

/// A header line and a line a slice: slice, patient, counts, scores. A cell is empty where a score
/// is undefined; cells are quoted where RFC 4180 asks for it.
std::string slices_csv(const Evaluation& evaluation);
/// The same with a line a patient: patient, number of slices, counts of all of them, scores.
std::string patients_csv(const Evaluation& evaluation);

}  // namespace glia
