// A network asked for one batch after another: where the device can, its forward pass is recorded
// for batches of one size and replayed.
#pragma once

#include "engine/nn/model.h"
#include "engine/runtime/repeated_work.h"
#include "engine/tensor/tensor.h"

namespace glia {

class Predictor {
 public:
  using Mode = RepeatedWork::Mode;
  /// Both must outlive it. Weights may change between two calls, as long as they stay where they
  /// are.
  Predictor(Device& device, nn::Model& model, Mode mode = Mode::automatic);
  Predictor(const Predictor&) = delete;
  Predictor& operator=(const Predictor&) = delete;

  /// The bits of `infer_logits`, in a tensor of their own. Batches of one size use the same memory;
  /// one of another size starts anew with that.
  Tensor logits(const Tensor& images, bool flips);

  const nn::Model& model() const { return model_; }
  Device& device() { return device_; }
  bool captured() const { return work_.captured(); }

 private:
  Tensor forward(const Tensor& images);
  void run();

  Device& device_;
  nn::Model& model_;
  Tensor images_, logits_;  // at addresses that a graph knows
  RepeatedWork work_;
};

}  // namespace glia
