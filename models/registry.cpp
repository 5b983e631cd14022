#include "models/registry.h"

#include <nlohmann/json.hpp>

#include "engine/base/json.h"
#include "models/unet/unet.h"
#include "models/unet/unet_export.h"

namespace glia {

std::unique_ptr<nn::Model> make_model(const nlohmann::json& config) {
  const auto name = json_field<std::string>(config, "model", "checkpoint: its configuration");
  check(name == "unet", "checkpoint: found the model '{}', this program has: unet", name);
  return std::make_unique<UNet>(UNetConfig::from_json(config));
}

nlohmann::json config_of_weights(const SafeTensors& weights) {
  return unet_config_of(weights).to_json();
}

onnx::Graph onnx_graph(nn::Model& model, const Preprocess& preprocess) {
  return unet_onnx(UNetConfig::from_json(model.config()), model.parameters(), preprocess);
}

}  // namespace glia
