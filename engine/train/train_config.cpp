#include "engine/train/train_config.h"

#include <nlohmann/json.hpp>

#include "engine/base/json.h"

namespace glia {

namespace {

// Beyond them the steps of a run, which are their product with the batches of an epoch, overflow.
constexpr std::int64_t kMostEpochs = 1'000'000'000;
constexpr std::int64_t kMostSlices = 4096;  // of a step, as the flag says

}  // namespace

nlohmann::json TrainConfig::to_json() const {
  return {{"loss", loss},
          {"region", name_of(region)},
          {"smooth", smooth},
          {"optimizer", optimizer.to_json()},
          {"schedule", schedule.to_json()},
          {"best_by", name_of(best_by)},
          {"epochs", epochs},
          {"max_steps", max_steps},
          {"batch_size", batch_size},
          {"shards", shards},
          {"checkpoint_every", checkpoint_every},
          {"seed", seed},
          {"augment", augment.to_json()},
          {"conv", name_of(conv)},
          {"precision", name_of(precision)}};
}

TrainConfig TrainConfig::from_json(const nlohmann::json& json, const std::string& name) {
  const auto whole = [&](const char* key) { return json_field<std::int64_t>(json, key, name); };
  const auto text = [&](const char* key) { return json_field<std::string>(json, key, name); };
  // Runs that do not say have always been computed directly, and so on.
  const auto text_or = [&](const char* key, const char* otherwise) {
    return json_field<std::string>(json, key, otherwise, name);
  };
  const auto part = [&](const char* key) {
    check(json.contains(key), "{}: has no '{}'", name, key);
    return json[key];
  };
  try {
    TrainConfig config{
        .loss = text("loss"),
        .region = parse_region(text("region")),
        .smooth = json_field<double>(json, "smooth", name),
        .optimizer = optim::OptimizerConfig::from_json(part("optimizer"), name + ": optimizer"),
        .schedule = optim::ScheduleConfig::from_json(part("schedule"), name + ": schedule"),
        .best_by = parse_best_by(text_or("best_by", name_of(BestBy::batch_iou))),
        .epochs = whole("epochs"),
        .max_steps = json_field<std::int64_t>(json, "max_steps", 0, name),
        .batch_size = whole("batch_size"),
        .shards = json_field<std::int64_t>(json, "shards", 1, name),
        .checkpoint_every = whole("checkpoint_every"),
        .seed = json_field<std::uint64_t>(json, "seed", name),
        .augment = AugmentConfig::from_json(part("augment")),
        .conv = parse_conv(text_or("conv", name_of(ConvMethod::direct))),
        .precision = parse_precision(text_or("precision", name_of(ConvPrecision::fp32)))};
    check_known_keys(json, config.to_json(), name);
    config.validate();
    return config;
  } catch (const Error& error) {
    const std::string problem = error.what();
    fail("{}", problem.starts_with(name) ? problem : fmt::format("{}: {}", name, problem));
  }
}

void TrainConfig::validate() const {
  Objective::parse(loss, region, smooth);
  optimizer.validate();
  schedule.validate();
  check(epochs >= 1 && epochs <= kMostEpochs, "--epochs: found {}, expected 1 to {}", epochs,
        kMostEpochs);
  check(max_steps >= 0, "--max-steps: found {}, expected 0 or more", max_steps);
  check(batch_size >= 1 && batch_size <= kMostSlices, "--batch-size: found {}, expected 1 to {}",
        batch_size, kMostSlices);
  check(shards >= 0, "--shards: found {}, expected 1 or more, or 0 for one a rank", shards);
  check(checkpoint_every >= 0, "--checkpoint-every: found {}, expected 0 or more",
        checkpoint_every);
}

}  // namespace glia
