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

/// Throws `Error` naming `file`, the tensor and the place when the values of a weight or buffer are
/// not finite, or a running variance is below 0.
void check_values(const std::string& name, std::span<const float> values, const std::string& file);

/// A checkpoint file, opened. `info` has "model", "preprocess", "provenance" and maybe "training".
struct Checkpoint {
  std::filesystem::path path;
  SafeTensors tensors;
  nlohmann::json info;

  /// Throws `Error` naming the file when it is no checkpoint of this program, or says of its epoch
  /// and steps what no training comes to.
  static Checkpoint open(const std::filesystem::path& path);

  /// Throws `Error` naming the tensor when one of the model's is missing, has another shape or
  /// fails `check_values`, or when the file has tensors that the model lacks. The model need not be
  /// allocated: what a file says of its size is believed only after this.
  void check_weights(nn::Model& model) const;
  /// Copies weights and buffers into the allocated `model`. Throws `Error` where `check_weights`
  /// does.
  void load_weights(nn::Model& model) const;
  /// Copies the optimizer's state; throws `Error` when the file holds none (a best checkpoint) or
  /// one that no training leaves.
  void load_optimizer(optim::Optimizer& optimizer) const;
  Preprocess preprocess() const;
};

/// A tensor that is to be kept has values that are not finite.
class NotFiniteTensor : public Error {
 public:
  explicit NotFiniteTensor(const std::string& found)
      : Error(found + " are NaN or infinite"), found_(found) {}
  /// "3 of 64 values of decoder.0.norm1.weight".
  const std::string& found() const { return found_; }

 private:
  std::string found_;
};

/// Throws `NotFiniteTensor` when a weight or buffer of `model`, or a value of the optimizer's state
/// if there is one, is not finite.
void check_finite(nn::Model& model, const optim::Optimizer* optimizer);

/// Writes the weights, the optimizer's state when `optimizer` is not null, and `info`. Throws where
/// `check_finite` does, and leaves the file as it was.
void save_checkpoint(const std::filesystem::path& path, nn::Model& model,
                     const optim::Optimizer* optimizer, const nlohmann::json& info);

}  // namespace glia
