#include <nlohmann/json.hpp>

#include "engine/runtime/open_device.h"
#include "engine/train/trainer.h"

namespace glia {

nlohmann::json TrainConfig::to_json() const {
  return {{"loss", loss},
          {"region", name_of(region)},
          {"smooth", smooth},
          {"optimizer", optimizer.to_json()},
          {"schedule", schedule.to_json()},
          {"epochs", epochs},
          {"max_steps", max_steps},
          {"batch_size", batch_size},
          {"checkpoint_every", checkpoint_every},
          {"seed", seed},
          {"augment", augment.to_json()},
          {"conv", name_of(conv)},
          {"precision", name_of(precision)}};
}

TrainConfig TrainConfig::from_json(const nlohmann::json& json) {
  try {
    return {.loss = json.at("loss"),
            .region = parse_region(json.at("region").get<std::string>()),
            .smooth = json.at("smooth"),
            .optimizer = optim::OptimizerConfig::from_json(json.at("optimizer")),
            .schedule = optim::ScheduleConfig::from_json(json.at("schedule")),
            .epochs = json.at("epochs"),
            .max_steps = json.value("max_steps", std::int64_t{0}),
            .batch_size = json.at("batch_size"),
            .checkpoint_every = json.at("checkpoint_every"),
            .seed = json.at("seed"),
            .augment = AugmentConfig::from_json(json.at("augment")),
            // Runs that do not say have always been computed directly.
            .conv = parse_conv(json.value("conv", std::string(name_of(ConvMethod::direct)))),
            .precision = parse_precision(
                json.value("precision", std::string(name_of(ConvPrecision::fp32))))};
  } catch (const nlohmann::json::exception& error) {
    fail("train: the configuration does not fit: {}", error.what());
  }
}

void TrainConfig::validate() const {
  Objective::parse(loss, region, smooth);
  optimizer.validate();
  schedule.validate();
  check(epochs >= 1, "--epochs: found {}, expected 1 or more", epochs);
  check(max_steps >= 0, "--max-steps: found {}, expected 0 or more", max_steps);
  check(batch_size >= 1, "--batch-size: found {}, expected 1 or more", batch_size);
  check(checkpoint_every >= 0, "--checkpoint-every: found {}, expected 0 or more",
        checkpoint_every);
}

}  // namespace glia
