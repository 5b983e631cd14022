// The network judged on the validation slices after an epoch. Where the device can, forward pass
// and metrics are recorded for batches of one size and replayed, the slices lie there already, and
// the host reads results some batches late.
#pragma once

#include <array>

#include "engine/data/loader.h"
#include "engine/nn/model.h"
#include "engine/runtime/repeated_work.h"
#include "engine/tensor/readback.h"
#include "engine/train/evaluate.h"
#include "engine/train/loss.h"
#include "engine/train/resident.h"

namespace glia {

class Validation {
 public:
  /// Everything referred to must outlive it. The loader must not shuffle or augment; where `slices`
  /// are its slices on the device, its batches need bring none (BatchContents::draws).
  Validation(Device& device, nn::Model& model, const Objective& objective, Loader& loader,
             ResidentSlices slices, RepeatedWork::Mode mode);
  Validation(const Validation&) = delete;
  Validation& operator=(const Validation&) = delete;

  /// The bits of `evaluate` with default options. What it needs on the device it gives back.
  EvaluateResult run();
  /// Whether the last run replayed recorded batches.
  bool captured() const { return captured_; }

 private:
  /// Results on their way, and whose they are.
  struct Slot {
    TensorReadback results;
    std::vector<ScoredCase> slices = {};  // empty where nothing is on its way
  };

  /// Brings the batch to where the work reads it.
  void place(const Batch& batch);
  void judge();
  /// Waits for the slot's results.
  static void collect(Slot& slot, EvaluateResult& result);

  Device& device_;
  nn::Model& model_;
  const Objective& objective_;
  Loader& loader_;
  ResidentSlices slices_;
  Tensor images_, target_;  // of a batch, at addresses that a graph knows
  Objective::Value value_;
  Tensor counts_;
  RepeatedWork work_;
  std::array<Slot, 4> slots_;  // in turn
  bool captured_ = false;
};

}  // namespace glia
