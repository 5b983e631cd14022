// What a training run is told: everything that its result depends on besides data and model.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/data/augment.h"
#include "engine/optim/optimizer.h"
#include "engine/optim/schedule.h"
#include "engine/runtime/modes.h"
#include "engine/train/best_by.h"
#include "engine/train/loss.h"

namespace glia {

struct TrainConfig {
  std::string loss = "iou";
  Region region = Region::batch;
  double smooth = 1;
  optim::OptimizerConfig optimizer;
  optim::ScheduleConfig schedule;
  BestBy best_by = BestBy::batch_iou;  // which epoch best.safetensors holds
  std::int64_t epochs = 5;
  std::int64_t max_steps =
      0;  // of the whole run; the epoch in which they end is cut short. 0: none
  std::int64_t batch_size = 6;
  std::int64_t shards = 0;  // equal parts of a batch, whose order of sums they fix; 0: one a rank
  std::int64_t checkpoint_every = 200;  // steps; 0: at the end of epochs only
  std::uint64_t seed = 0;
  AugmentConfig augment;
  ConvMethod conv = ConvMethod::automatic;        // it changes the last bits
  ConvPrecision precision = ConvPrecision::fp32;  // of convolutions: what the device took

  nlohmann::json to_json() const;
  /// Throws `Error`, led by `name`, on a field that is missing, of another type or out of range.
  static TrainConfig from_json(const nlohmann::json& json, const std::string& name);
  /// Throws `Error` naming the flag of a value that is out of range.
  void validate() const;
};

}  // namespace glia
