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
  struct How {
    RepeatedWork::Mode mode = RepeatedWork::Mode::automatic;
    std::int64_t shards = 1;  // of a batch, which go through the network in turn
  };

  /// Everything referred to must outlive it. The loader must not shuffle or augment; where `slices`
  /// are its slices on the device, its batches need bring none (BatchContents::draws).
  Validation(Device& device, nn::Model& model, const Objective& objective, Loader& loader,
             ResidentSlices slices, How how);
  Validation(const Validation&) = delete;
  Validation& operator=(const Validation&) = delete;

  /// The bits of `evaluate` with default options, for any number of ranks (but where shards are so
  /// small that a convolution takes another way). What it needs on the
  /// device it gives back.
  EvaluateResult run();
  /// Whether the last run replayed recorded batches.
  bool captured() const { return captured_; }

 private:
  /// Results on their way.
  struct Slot {
    TensorReadback results;
    bool busy = false;  // they are
  };

  /// Brings the batch to where the work reads it.
  void place(const Batch& batch);
  void judge();
  /// Waits for the slot's results.
  void collect(Slot& slot);
  /// The scores of all batches, in order: of all ranks, each of which has judged every so manieth.
  std::vector<BatchScores> all_scores() const;

  Device& device_;
  nn::Model& model_;
  const Objective& objective_;
  Loader& loader_;
  ResidentSlices slices_;
  std::int64_t images_at_once_;
  Tensor images_, target_;  // of a batch, at addresses that a graph knows
  Objective::Value value_;
  Tensor counts_;
  RepeatedWork work_;
  std::array<Slot, 4> slots_;        // in turn
  std::vector<BatchScores> scores_;  // of the batches that were judged here
  bool captured_ = false;
};

}  // namespace glia
