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

nlohmann::json config_of_weights(const SafeTensors& weights, const std::string& file) {
  return unet_config_of(weights, file).to_json();
}

std::string unwrap_names(SafeTensors& weights, const std::string& file) {
  const std::string prefix = unet_name_prefix(weights);
  if (prefix.empty()) return prefix;
  for (SafeTensors::Entry& entry : weights.entries) {
    check(entry.name.starts_with(prefix),
          "{}: some names begin with '{}', but not '{}'; save the network alone, without what lies "
          "beside it",
          file, prefix, entry.name);
    entry.name.erase(0, prefix.size());
  }
  return prefix;
}

onnx::Graph onnx_graph(nn::Model& model, const Preprocess& preprocess) {
  return unet_onnx(UNetConfig::from_json(model.config()), model.parameters(), preprocess);
}

}  // namespace glia
