// What to tell somebody whose training does not fit into a device's memory.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "engine/data/dataset.h"
#include "engine/runtime/device.h"
#include "engine/train/train_config.h"

namespace glia {

/// The bytes that a step needs on the device and the largest batch that would fit into `room` (free
/// bytes before training; nothing where that is not known). `slice` gives the images' size.
std::string memory_advice(const nlohmann::json& model, const TrainConfig& config,
                          const Sample& slice, Device& device, std::optional<std::size_t> room);

}  // namespace glia
