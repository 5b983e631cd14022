// Runs a model over labelled slices and collects what an evaluation reports.
#pragma once

#include <functional>

#include "engine/data/loader.h"
#include "engine/nn/model.h"
#include "engine/train/loss.h"
#include "engine/train/metrics.h"

namespace glia {

/// A batch on the device: images [N,H,W,C] and target [N,H,W,1].
struct BatchTensors {
  Tensor images, target;
  BatchTensors(Device& device, const Batch& batch);
};

struct EvaluateOptions {
  double threshold = 0.5;  // probability above which a pixel counts as tumour
  /// The patient of a slice id; "" when unknown.
  std::function<std::string(const std::string& id)> patient = [](const auto&) { return ""; };
  /// Called after every batch with the number of slices done.
  std::function<void(std::int64_t slices)> progress = [](std::int64_t) {};
};

struct EvaluateResult {
  Evaluation evaluation;
  double loss = 0;  // mean of the objective over batches
  std::int64_t batches = 0;
};

/// One epoch of `loader` in evaluation mode. The loader must not shuffle or augment.
EvaluateResult evaluate(Device& device, nn::Model& model, Loader& loader,
                        const Objective& objective, const EvaluateOptions& options);

/// logits > logit(threshold) is sigmoid(logits) > threshold without computing the sigmoid.
double threshold_logit(double threshold);

}  // namespace glia
