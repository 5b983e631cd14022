// Studies whose trials were never trained: folders with made-up figures.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/base/file.h"
#include "engine/sweep/study.h"
#include "tests/temp_folder.h"

namespace glia::test {

/// The values of `grid` where a test says nothing else.
inline sweep::Grid small_grid() {
  return {.values = {{"6"}, {"0.001"}, {"adam"}, {"iou"}, {"4"}, {"none"}}, .seeds = 1};
}

inline sweep::Trial make_trial(const std::filesystem::path& study, const sweep::Point& point,
                               std::int64_t epochs) {
  return {study, point, {.epochs = epochs}, false, {{"data", "/slices"}}};
}

/// Ends an attempt with these validation losses, one an epoch; a batch IoU is a tenth of it.
inline void train_to(sweep::Trial& trial, const std::vector<double>& losses) {
  trial.begin();
  std::string lines;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const auto epoch = static_cast<std::int64_t>(i) + 1;
    const MetricsRow row{.epoch = epoch,
                         .steps = 10 * epoch,
                         .images = 60 * epoch,
                         .train_loss = 1,
                         .val_loss = losses[i],
                         .val_batch_iou = losses[i] / 10,
                         .train_seconds = 2,
                         .val_seconds = 0.5};
    lines += row.to_json().dump() + "\n";
  }
  make_folder(trial.run());
  write_file_atomically(trial.run() / "metrics.jsonl", lines);
  trial.end(true, "");
}

/// The trials of a grid, all waiting.
inline sweep::Study make_study(const std::filesystem::path& folder, const sweep::Grid& grid,
                               std::vector<std::int64_t> epochs) {
  sweep::Study study{.name = "test", .grid = grid, .epochs = std::move(epochs), .trials = {}};
  for (const sweep::Point& point : grid.points())
    study.trials.push_back(make_trial(folder, point, study.epochs.back()));
  return study;
}

}  // namespace glia::test
