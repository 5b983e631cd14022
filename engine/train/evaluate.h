// Runs a model over labelled slices and collects what an evaluation reports.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/data/loader.h"
#include "engine/metrics/calibration.h"
#include "engine/metrics/distance.h"
#include "engine/metrics/evaluation.h"
#include "engine/metrics/threshold_curve.h"
#include "engine/nn/model.h"
#include "engine/train/inference.h"
#include "engine/train/loss.h"

namespace glia {

/// A batch on the device: images [N,H,W,C] and target [N,H,W,1].
struct BatchTensors {
  Tensor images, target;
  BatchTensors(Device& device, const Batch& batch);
};

/// A slice, what the network says of it, and what is made of that. All planes are [height, width].
struct ScoredSlice {
  const std::string& id;
  std::int64_t height, width;
  std::span<const float> truth, probability;
  std::span<const float> mask;  // 0 or 1, after thresholding and the steps on the mask
};

struct EvaluateOptions {
  double threshold = 0.5;  // probability above which a pixel counts as tumour
  Inference inference{};
  /// The patient of a slice id; "" when unknown.
  std::function<std::string(const std::string& id)> patient = [](const auto&) { return ""; };
  /// Called after every batch with the number of slices done.
  std::function<void(std::int64_t slices)> progress = [](std::int64_t) {};
  /// Also HD95, the threshold curve and the calibration, for which the probabilities come to the
  /// host.
  bool details = false;
  /// The pixels of a slice by its id, in mm; HD95 is in pixels when not given.
  std::function<PixelSize(const std::string& id)> pixel_size = {};
  /// Called for every slice, when given.
  std::function<void(const ScoredSlice&)> slice = {};
};

/// What the device computes of a batch.
struct BatchScores {
  double loss = 0;
  Objective::BatchSums sums;
  std::vector<Counts> counts;  // one a slice

  /// One a slice of i64 [N, 4], as `ops::confusion_counts` gives them.
  static std::vector<Counts> counts_of(const std::vector<std::int64_t>& values);
};

/// Who a slice of a batch is, and what else is known of it.
struct ScoredCase {
  std::string id, patient;
  std::optional<double> hd95 = {};
};

struct EvaluateResult {
  Evaluation evaluation;
  double loss = 0;  // mean of the objective over batches
  std::int64_t batches = 0;
  // Of the probabilities before steps on the mask; empty unless `details`.
  ThresholdCurve thresholds = {};
  Calibration calibration = {};

  /// Adds a batch of these slices; `loss` is a sum until `finish`.
  void add(const BatchScores& scores, const std::vector<ScoredCase>& slices);
  void finish();
};

/// One epoch of `loader` in evaluation mode. The loader must not shuffle or augment.
EvaluateResult evaluate(Device& device, nn::Model& model, Loader& loader,
                        const Objective& objective, const EvaluateOptions& options);

/// The same with each of `ways` in place of `options.inference`, in one epoch: a result a way.
std::vector<EvaluateResult> evaluate_ways(Device& device, nn::Model& model, Loader& loader,
                                          const Objective& objective,
                                          const EvaluateOptions& options,
                                          std::span<const Inference> ways);

}  // namespace glia
