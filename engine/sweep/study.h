// A study: its trials, and what they say together.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/sweep/spread.h"
#include "engine/sweep/trial.h"

namespace glia::sweep {

struct Study {
  std::string name;
  Grid grid;
  Match match = Match::epochs;
  std::vector<std::int64_t> epochs;  // asked for, ascending
  std::vector<Trial> trials;         // in the order of `grid.points()`
  bool running = false;
  /// Command, flags, data and split; program and machine.
  nlohmann::ordered_json provenance = nlohmann::ordered_json::object();
  nlohmann::ordered_json environment = nlohmann::ordered_json::object();

  std::int64_t count(State state) const;
  /// "batch 4, seed 0": what tells a trial from the others.
  std::string label(const Trial& trial) const;
};

/// The validation figures of one combination of settings after an epoch.
struct Figures {
  std::int64_t epoch = 0, steps = 0, images = 0;
  Spread val_loss = {}, val_iou = {};
};

/// One combination of settings, all its seeds. Only finished trials count.
struct Combination {
  std::vector<std::string> values;  // one a setting
  std::int64_t epochs = 0;          // that its trials were asked for
  std::vector<Figures> curve;       // by epoch, from 1; empty while no trial is finished

  /// Behind `epoch`; nothing where no finished trial got there.
  std::optional<Figures> at(std::int64_t epoch) const;
};

/// In the order of the grid.
std::vector<Combination> combine(const Study& study);

/// Whether trials are compared at the end of their own length and not at common epochs.
inline bool compares_ends(const Study& study) {
  return study.match != Match::epochs;
}

/// What is compared: each asked number of epochs; one 0, for the end of each trial, where trials
/// differ in epochs.
std::vector<std::int64_t> compared_epochs(const Study& study);
std::optional<Figures> figures_at(const Combination& combination, std::int64_t compared);

/// What a reader must know of the data: that slices of one patient stand on both sides of the split
/// (by provenance's data/patients), or may (data/leaking); else empty.
std::string leak_warning(const Study& study);

/// "batch 4, loss iou": the values of the settings `which`.
std::string describe(const std::vector<std::string>& values, const std::vector<std::size_t>& which);

}  // namespace glia::sweep
