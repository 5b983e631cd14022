// A training as the program carries it out: on this device or these ranks, with its reports.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/flags/train_options.h"
#include "apps/runs/run_inputs.h"
#include "engine/train/trainer.h"

namespace glia {

/// What a run trains, whether it starts or goes on.
struct Run {
  RunFolder& folder;
  const RunInputs& inputs;
  TrainConfig& config;
  const nlohmann::json& model;
  const Preprocess& preprocess;
  /// Called once everything has been looked at that could be refused, before the first step.
  std::function<void(Trainer&)> begin;
  bool resumed = false;
  std::vector<std::string> notes = {};  // what a reader must know besides
};

/// Trains to the end, or until a signal: then throws `CLI::RuntimeError` of status 130.
void train(const TrainOptions& o, const Run& run);

}  // namespace glia
