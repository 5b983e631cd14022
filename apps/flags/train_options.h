// The flags of glia train.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "apps/flags/device_options.h"
#include "apps/flags/model_options.h"
#include "engine/comm/communicator.h"
#include "engine/data/dataset.h"
#include "engine/data/loader.h"
#include "engine/train/train_config.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace glia {

struct TrainOptions {
  std::string data, split, train_list, val_list, out, resume;
  std::string normalize = "none", augment = "none";
  std::string region = "batch", optimizer = "adam", schedule = "constant";
  ModelOptions model;
  TrainConfig train;
  std::string loader_threads = "auto";
  int ranks = 1;
  std::string resident = "auto";
  bool trace = false;
  bool eager = false;
  bool tensorboard = false;
  DeviceOptions device;
  Communicator* processes = nullptr;  // of which this is one; null: none was started but this
  /// Whether this process is the one that writes the run.
  bool writes() const { return processes == nullptr || processes->rank() == 0; }

  /// Registers the command "train"; what it does is its callback's, which is left open.
  CLI::App* add_to(CLI::App& app);
  /// The threads that load for each of these ranks; null for a single one.
  LoaderThreads loader(const Communicator* all) const;
  /// Completes `train` from the words of flags. Throws `Error` naming the flag of a value that no
  /// run can have.
  void read_settings();
  /// Throws `Error` naming the flag when these training slices are fewer than a batch.
  void check_batch(const std::vector<Sample>& slices) const;
  /// The configuration of the network for these training slices, by the flags that `command` was
  /// given.
  /// Throws `Error` naming the flag when one is wrong, or when the slices do not suit the
  /// network.
  nlohmann::json model_for(const CLI::App& command, const std::vector<Sample>& slices) const;
};

/// Whether a flag of glia train may come with --resume.
bool goes_with_resume(const CLI::Option& option);

/// Settings that were given and that the others leave without effect, a warning each.
std::vector<std::string> idle_settings(const TrainConfig& config, const CLI::App& command);

}  // namespace glia
