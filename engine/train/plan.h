// How much memory training takes, found without training.
#pragma once

#include <functional>
#include <memory>

#include "engine/nn/model.h"
#include "engine/optim/optimizer.h"
#include "engine/train/loss.h"

namespace glia {

/// What one step depends on.
struct StepShape {
  std::int64_t batch_size = 6, height = 240, width = 240;
  optim::OptimizerConfig optimizer;
  Objective objective;
};

using ModelFactory = std::function<std::unique_ptr<nn::Model>()>;

/// The most bytes that the tensors of a training step hold at one time: weights, gradients,
/// optimizer state, activations and the batch. Scratch memory of kernels comes on top.
std::size_t planned_bytes(const ModelFactory& make, const StepShape& shape);

/// The largest batch size whose planned bytes are at most `bytes`; 0 when not even one fits.
std::int64_t largest_batch(const ModelFactory& make, StepShape shape, std::size_t bytes);

}  // namespace glia
