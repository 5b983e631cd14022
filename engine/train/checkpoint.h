// Checkpoints: one safetensors file each, so that one rename makes a checkpoint whole or not there
// (docs/adr/0003-one-file-checkpoint.md). The metadata key "glia" holds JSON: the model's
// configuration, the preprocessing, and, to resume, the state of the training.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/data/preprocess.h"
#include "engine/formats/safetensors.h"
#include "engine/nn/model.h"
#include "engine/optim/optimizer.h"

namespace glia {

/// A checkpoint file, opened. `info` has "model", "preprocess", "provenance" and maybe "training".
struct Checkpoint {
  std::filesystem::path path;
  SafeTensors tensors;
  nlohmann::json info;

  /// Throws `Error` naming the file when it is no checkpoint of this program.
  static Checkpoint open(const std::filesystem::path& path);

  /// Copies weights and buffers into the allocated `model`. Throws `Error` naming the tensor when
  /// one is missing or has another shape, or when the file has tensors that the model lacks.
  void load_weights(nn::Model& model) const;
  /// Copies the optimizer's state; throws `Error` when the file holds none (a best checkpoint).
  void load_optimizer(optim::Optimizer& optimizer) const;
  Preprocess preprocess() const;
};

/// Writes the weights, the optimizer's state when `optimizer` is not null, and `info`.
void save_checkpoint(const std::filesystem::path& path, nn::Model& model,
                     const optim::Optimizer* optimizer, const nlohmann::json& info);

}  // namespace glia
