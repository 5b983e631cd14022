// The flags that say how a picture or volume is read which was not imported.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/runs/import_steps.h"
#include "apps/runs/open_model.h"

namespace glia {

struct ImportStepOptions {
  std::vector<std::int64_t> take_channels;
  std::optional<std::string> plane, orientation;

  void add_to(CLI::App& command);
  /// What is done to files that are no .npy arrays: as before the training of `open`, a network
  /// from the file `checkpoint`, unless flags say otherwise. Throws `Error` naming the flag or the
  /// file.
  ImportSteps steps(const OpenModel& open, const std::string& checkpoint) const;
  /// Says what `steps` do to those of the samples that are no .npy arrays, and who said so.
  void print(const ImportSteps& steps, const std::vector<Sample>& samples) const;
};

}  // namespace glia
