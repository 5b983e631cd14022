#include "models/registry.h"

#include <nlohmann/json.hpp>

#include "models/unet/unet.h"

namespace glia {

std::unique_ptr<nn::Model> make_model(const nlohmann::json& config) {
  const std::string name = config.is_object() ? config.value("model", "") : "";
  check(name == "unet", "checkpoint: found the model '{}', this program has: unet", name);
  return std::make_unique<UNet>(UNetConfig::from_json(config));
}

}  // namespace glia
