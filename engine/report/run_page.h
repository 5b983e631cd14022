// A training run as a page: its curves, its epochs, its settings. Written anew each epoch, so that
// a browser shows how far a run is.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/report/curves.h"

namespace glia {

struct RunPage {
  std::string title;
  std::string state;     // "running, epoch 2 of 5", "finished", "stopped"
  bool running = false;  // the page then loads itself again every few seconds
  std::vector<std::string> warnings = {};
  std::vector<EpochRow> curves = {};
  std::string loss_name;
  std::optional<BestEpoch> best = {};
  std::vector<nlohmann::ordered_json> epochs =
      {};  // one flat object an epoch, all with the same keys
  nlohmann::ordered_json settings = {}, environment = {};

  std::string html() const;
};

}  // namespace glia
