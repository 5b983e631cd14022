// How much memory training takes, found without training.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>

#include "engine/nn/model.h"
#include "engine/optim/optimizer.h"
#include "engine/runtime/plan_device.h"
#include "engine/train/loss.h"

namespace glia {

/// What one step depends on.
struct StepShape {
  std::int64_t batch_size = 6, height = 240, width = 240;
  std::int64_t ranks = 1, shards = 1;  // what shares a batch (engine/train/shards.h)
  optim::OptimizerConfig optimizer;
  Objective objective;
};

using ModelFactory = std::function<std::unique_ptr<nn::Model>()>;

/// The memory of one training step: weights, gradients, optimizer state, the batches, activations
/// and their gradients, and on the CPU the convolutions' scratch memory.
struct StepPlan {
  std::vector<PlannedTensor> tensors;  // in the order in which they are made
  std::size_t step_bytes = 0;          // what the device's memory must hold during a step
  std::size_t validation_bytes = 0;    // and, between two, to judge a batch of the same size
  std::size_t fullest_kernel = 0;      // of the step, where the most bytes are alive
  std::size_t peak_bytes() const { return std::max(step_bytes, validation_bytes); }
};

/// Runs a step, and a validation batch, on a device that computes nothing, as one of the shape's
/// ranks. Throws `Error` when the model does not take the size, or the ranks cannot share the
/// batch.
StepPlan plan_step(const ModelFactory& make, const StepShape& shape, const PlanTarget& target);

/// The largest batch size, a multiple of the shards, that `bytes` hold, with `beside` bytes an
/// image that are not the step's; 0 when not even one image a shard fits.
std::int64_t largest_batch(const ModelFactory& make, StepShape shape, const PlanTarget& target,
                           std::size_t bytes, std::size_t beside = 0);

}  // namespace glia
