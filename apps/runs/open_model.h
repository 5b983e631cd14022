// A checkpoint, opened and on a device: all that evaluation and prediction need.
#pragma once

#include <memory>

#include "engine/train/checkpoint.h"

namespace glia {

struct OpenModel {
  std::unique_ptr<nn::Model> model;
  Preprocess preprocess;
  nlohmann::json info;
};

/// Throws `Error` naming the file when it is no checkpoint or does not fit its own architecture.
OpenModel open_model(const std::filesystem::path& checkpoint, Device& device);

/// A line on standard error where the model was trained in another precision than the device's.
void say_other_precision(const OpenModel& open, Device& device);

}  // namespace glia
