// Models by the name in their configuration, so that a checkpoint can be opened without knowing
// what is in it.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "engine/nn/model.h"

namespace glia {

/// Builds the model that `config` (from `Model::config`) describes; its parameters are not yet
/// allocated. Throws `Error` when the name is unknown or a field is wrong.
std::unique_ptr<nn::Model> make_model(const nlohmann::json& config);

}  // namespace glia
