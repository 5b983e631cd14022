// An evaluation as a page: scores, charts, pictures of cases, every patient and slice, where it all
// comes from, and what it does not say.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/metrics/calibration.h"
#include "engine/metrics/evaluation.h"
#include "engine/metrics/threshold_curve.h"
#include "engine/report/page.h"

namespace glia {

/// A heading with something below it.
template <class Content>
struct Section {
  std::string heading, text;
  Content content;
};

struct EvaluationPage {
  std::string title;
  /// What a reader must know before the first figure: a split that leaks, slices trained on.
  std::vector<std::string> warnings = {};
  const Evaluation& evaluation;
  const Summary& summary;
  const ThresholdCurve& thresholds;
  const Calibration& calibration;
  double threshold = 0.5;
  std::vector<Section<Table>> more_tables = {};  // after the scores
  std::vector<Section<std::vector<Figure>>> cases = {};
  std::string training_curves = {};  // an SVG; empty when not known
  std::vector<Section<nlohmann::ordered_json>> provenance = {};

  std::string html() const;
};

}  // namespace glia
