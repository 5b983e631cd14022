// Training steps of the U-Net as `glia train` does them, or predictions, on one random batch again
// and again.
#pragma once

#include "engine/train/train_step.h"
#include "models/unet/unet.h"

namespace glia::bench {

class RepeatedStep {
 public:
  /// Random weights, images and masks. The device must outlive it.
  RepeatedStep(Device& device, const UNetConfig& config, std::int64_t batch_size, std::int64_t size,
               TrainStep::Mode mode);

  /// Queues one step.
  void run() {
    if (step_.in_flight() == TrainStep::kMostInFlight) step_.finish();
    step_.start(1e-3);
  }
  /// Whether it replays a recorded step by now.
  bool captured() const { return step_.captured(); }

 private:
  UNet net_;
  Objective objective_;
  optim::Optimizer adam_;
  TrainStep step_;
};

class RepeatedInference {
 public:
  /// Random weights and images. The device must outlive it.
  RepeatedInference(Device& device, const UNetConfig& config, std::int64_t batch_size,
                    std::int64_t size);

  /// Queues the probabilities of the batch.
  void run();

 private:
  Device& device_;
  UNet net_;
  Tensor images_;
};

}  // namespace glia::bench
