// The training loop: epochs of steps, validation, checkpoints, and stopping and resuming so that no
// trace of it is left in the result.
#pragma once

#include <functional>
#include <memory>

#include "engine/data/loader.h"
#include "engine/nn/model.h"
#include "engine/optim/optimizer.h"
#include "engine/train/checkpoint.h"
#include "engine/train/evaluate.h"
#include "engine/train/run_folder.h"
#include "engine/train/train_config.h"
#include "engine/train/train_step.h"
#include "engine/train/training_state.h"
#include "engine/train/validation.h"

namespace glia {

/// What the trainer tells whoever shows it.
struct TrainEvents {
  struct Step {
    std::int64_t epoch, step, steps, images;  // step and images within the epoch, from 1
    double loss, batch_iou;                   // means over the epoch so far
  };
  std::function<void(const Step&)> step = [](const Step&) {};
  std::function<void(const MetricsRow&)> epoch = [](const MetricsRow&) {};
  std::function<void(const std::string&)> message = [](const std::string&) {};
  /// Asked once a step; true stops the run after a checkpoint.
  std::function<bool()> stop = [] { return false; };
};

/// How a run is carried out, none of which changes its result.
struct TrainRuntime {
  LoaderThreads loader_threads = {};
  bool eager = false;              // no step is captured as a graph
  ResidentSlices slices = {};      // of the training list, where the device makes batches of them
  ResidentSlices val_slices = {};  // of the validation list, where they lie on the device
};

/// Throws `Error` when slices of this size, in pixels, do not suit `model`, which need not be
/// allocated.
void check_slice_size(const nn::Model& model, std::int64_t height, std::int64_t width,
                      std::int64_t channels);

class Trainer {
 public:
  /// On a device of several ranks every rank makes the same calls and comes to the same weights;
  /// only the first writes to the folder. `model` must be allocated, `folder` must outlive the
  /// trainer; nothing is written yet. `info` goes into every checkpoint ("model" and "preprocess"
  /// are added). Throws `Error` when a setting is out of range, the slices do not fit the model or
  /// are fewer than one batch.
  Trainer(Device& device, nn::Model& model, const TrainConfig& config, std::vector<Sample> train,
          std::vector<Sample> val, const Preprocess& preprocess, const RunFolder& folder,
          nlohmann::json info, const TrainRuntime& runtime, TrainEvents events);

  /// Continues where `checkpoint` (a last.safetensors) stopped. Throws `Error` naming the file when
  /// it holds no state of a training, or one that this run cannot be in.
  void resume(const Checkpoint& checkpoint);

  /// Adds something to the `info` of every checkpoint from now on.
  void note(const std::string& key, const nlohmann::json& value) { info_[key] = value; }

  /// Writes last.safetensors. Call it before a new run, which then can be resumed whenever it is
  /// stopped.
  void save_last();

  /// Whether nothing is left to train.
  bool is_done() const;

  /// Trains to the last epoch or step, or until `events.stop`. Returns whether it came to the end.
  /// Throws `Error` naming the first step whose loss, gradients, weights or moments are not finite,
  /// and the tensor, or how to learn its name where steps are replayed and the next has begun; and
  /// before a checkpoint when anything in it is not. The checkpoints are then the last good ones.
  bool run();

  const std::vector<MetricsRow>& rows() const { return state_.rows; }

 private:
  /// "step 7 of epoch 2".
  std::string place() const;
  /// What helps a training that diverged.
  std::string remedy() const;
  /// Runs `action`; an error about a tensor that is not finite gets the place and what to do.
  void keep_finite(const std::function<void()>& action);
  /// Adds a step to the sums. Throws `Error` when its loss, or what the optimizer read or wrote, is
  /// not finite.
  void count(const TrainStep::Result& result, double seconds);
  bool train_epoch();
  /// Whether a stop was asked for, on any rank.
  bool stop_asked();
  /// Whether this rank is the one that writes files.
  bool writes() const;
  /// Whether the run has made the steps that `max_steps` allows.
  bool out_of_steps() const;
  void end_epoch();
  void report_collapse(const Summary& summary, MetricsRow& row);
  void save_best(const MetricsRow& row);
  void write_metrics() const;
  nlohmann::json info() const;
  double learning_rate() const;
  bool gradients_dead() const;
  /// Who is to blame for a step that was not finite: the first gradient that the backward pass
  /// made so, else a weight or moment that overflowed.
  std::string first_not_finite() const;

  nn::Model& model_;
  Communicator* ranks_;
  Shards shards_;
  TrainConfig config_;
  Objective objective_;
  Preprocess preprocess_;
  const RunFolder& folder_;
  nlohmann::json info_;
  TrainEvents events_;
  Loader train_loader_, val_loader_;
  optim::Optimizer optimizer_;
  optim::Schedule schedule_;
  TrainStep step_;
  Validation validation_;

  TrainingState state_;  // its steps and schedule are the optimizer's and the schedule's own
};

}  // namespace glia
