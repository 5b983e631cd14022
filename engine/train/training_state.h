// How far a run is: what a last.safetensors holds besides tensors, so that a resumed run goes on as
// if it had never stopped.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/train/run_folder.h"

namespace glia {

/// Sums over the steps of the current epoch.
struct EpochSums {
  double loss = 0, batch_iou = 0, seconds = 0;
  std::int64_t steps = 0, images = 0;
};

struct TrainingState {
  std::int64_t epoch = 1;   // the current one, from 1
  std::int64_t steps = 0;   // since the start of the run
  std::int64_t images = 0;  // likewise
  EpochSums sums;
  std::optional<double> best;    // the figure of the best epoch; none before the first
  std::vector<MetricsRow> rows;  // of the epochs before the current one
  nlohmann::json schedule = nlohmann::json::object();

  nlohmann::json to_json() const;
  /// Throws `Error`, led by `name`, on a field that is missing, of another type, or that no run
  /// has.
  static TrainingState from_json(const nlohmann::json& json, const std::string& name);
};

}  // namespace glia
