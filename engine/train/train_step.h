// One step of training: forward, loss, backward, optimizer. On a device that can, the step is
// recorded as a graph and replayed, which gives the same bits as running its kernels one by one.
#pragma once

#include <array>

#include "engine/data/loader.h"
#include "engine/nn/model.h"
#include "engine/optim/optimizer.h"
#include "engine/runtime/repeated_work.h"
#include "engine/tensor/readback.h"
#include "engine/train/loss.h"
#include "engine/train/resident.h"
#include "engine/train/shards.h"

namespace glia {

class TrainStep {
 public:
  using Mode = RepeatedWork::Mode;

  struct Result {
    double loss = 0, batch_iou = 0;
    bool finite = true;  // weights and moments after the step, and so the gradients
  };

  /// Everything referred to must outlive the step. `seed` is that of dropout.
  TrainStep(Device& device, nn::Model& model, optim::Optimizer& optimizer,
            const Objective& objective, std::uint64_t seed, Mode mode = Mode::automatic);
  TrainStep(const TrainStep&) = delete;
  TrainStep& operator=(const TrainStep&) = delete;

  /// From here on a batch is the part of a larger one that is this rank's, in so many shards in
  /// turn: the loss, its gradient and the sums are those of the whole batch, whose other shards all
  /// other ranks compute in the same steps. Not where a batch norm has more than one shard in turn.
  void divide(const Shards& shards);
  /// From here on the device augments: batches bring draws by `config`, and slices as they were
  /// loaded or, where all of them lie on the device already, none. Throws `Error` where the device
  /// cannot.
  void augment_on_device(const AugmentConfig& config, ResidentSlices slices = {});

  /// Brings images [N,H,W,C] and masks [N,H,W,1] of the next step to the device, beside the step
  /// that runs there; at most one may be in flight then. Batches of one size use the same memory;
  /// one of another size starts anew with that.
  void upload(const Batch& batch);
  /// Queues a step on the batch that was uploaded last. Another may be in flight.
  void start(double learning_rate);
  /// Waits for the oldest step that is in flight.
  Result finish();
  /// Steps that were started and not finished.
  static constexpr std::int64_t kMostInFlight = 2;
  std::int64_t in_flight() const { return started_ - finished_; }

  /// Makes room for batches of images [N,H,W,C], as the first upload would.
  void reserve(const Shape& images) { place(images); }
  /// The kernels of a step on a batch [N,H,W,C] of undefined contents, for plans and benchmarks.
  void run_on_empty(const Shape& images);

  bool captured() const { return work_.captured(); }
  /// Hands the memory that the recorded step keeps aside to what is done between two steps, such as
  /// validation. The next steps run kernel by kernel again, until one is recorded anew. Call it
  /// when no step runs.
  void forget_recording() { work_.forget(); }

 private:
  struct Inputs {
    Tensor images, target;
  };

  void place(const Shape& images);
  /// Makes the step's batch of these slices, as the draws on the device say.
  void augment(const Tensor& images, const Tensor& masks);
  void run();
  /// Forward, loss and backward of shard `shard` of this batch.
  void run_shard(std::int64_t shard, const Objective::Part& part);
  void run_shards();
  Inputs shard_of(std::int64_t shard) const;
  nn::Pass pass_of(Tape& tape, std::int64_t shard) const;
  /// The sums of all shards of all ranks, where each has to know them: a forward pass more.
  Objective::Totals sum_shards();

  Device& device_;
  nn::Model& model_;
  optim::Optimizer& optimizer_;
  const Objective& objective_;
  std::uint64_t seed_;

  Inputs inputs_;                  // of the step, at addresses that a graph knows
  std::array<Inputs, 2> uploads_;  // in turn: one may still be read while the other is filled
  std::size_t newest_ = 0;
  std::vector<AugmentDraws> draws_;  // of the batch that was uploaded last
  Tensor draws_of_step_;             // i64 [N, kAugmentWords]
  bool augments_ = false, gamma_ = false, changes_ = false;
  ResidentSlices slices_;
  Tensor step_;  // [1] i64: steps before this one
  Shards shards_;
  std::unique_ptr<GradientSum> gradients_;             // where a batch is divided
  std::vector<Objective::Value> values_;               // a shard in turn
  RepeatedWork work_;                                  // of one size of batch
  std::array<TensorReadback, kMostInFlight> results_;  // in turn
  std::int64_t started_ = 0, finished_ = 0;
};

}  // namespace glia
