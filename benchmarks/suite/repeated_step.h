// Training steps of the U-Net as `glia train` does them, or predictions, on one random batch again
// and again.
#pragma once

#include "engine/train/train_step.h"
#include "models/unet/unet.h"

namespace glia::bench {

class Repeated {
 public:
  virtual ~Repeated() = default;
  /// Queues one.
  virtual void run() = 0;
  /// Whether it replays recorded work by now.
  virtual bool captured() const = 0;
};

class RepeatedStep : public Repeated {
 public:
  /// Random weights, images and masks. The device must outlive it.
  RepeatedStep(Device& device, const UNetConfig& config, std::int64_t batch_size, std::int64_t size,
               TrainStep::Mode mode);

  void run() override {
    if (step_.in_flight() == TrainStep::kMostInFlight) step_.finish();
    step_.start(1e-3);
  }
  bool captured() const override { return step_.captured(); }

 private:
  UNet net_;
  Objective objective_;
  optim::Optimizer adam_;
  TrainStep step_;
};

/// The probabilities of a batch that lies on the device.
class RepeatedInference : public Repeated {
 public:
  /// Random weights and images. The device must outlive it.
  RepeatedInference(Device& device, const UNetConfig& config, std::int64_t batch_size,
                    std::int64_t size, RepeatedWork::Mode mode);

  void run() override { work_.run(); }
  bool captured() const override { return work_.captured(); }

 private:
  void infer();

  Device& device_;
  UNet net_;
  Tensor images_, probability_;
  RepeatedWork work_;
};

}  // namespace glia::bench
