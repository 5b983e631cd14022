// What training, evaluation and prediction need to know of a network.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/nn/parameters.h"
#include "engine/nn/probe.h"
#include "engine/tape/tape.h"

namespace glia::nn {

/// One forward pass: where it is recorded, whether layers behave as in training, and the key of
/// their random numbers.
struct Pass {
  Tape& tape;
  bool training = false;
  std::uint64_t seed = 0;
  /// One i64: the optimizer's steps so far, so that every step draws other dropout masks.
  /// Undefined: 0.
  Tensor step{};
  /// The place of the first image in the batch of which these are a part.
  std::int64_t first_image = 0;
  /// Dropout acts, also where `training` is not set: one sample of the network's uncertainty.
  bool dropout = false;
  Probe* probe = nullptr;

  /// A model passes each result that has a name of its own through this.
  const Tensor& note(const std::string& layer, const Tensor& value) const {
    if (probe != nullptr) probe->see(layer, value);
    return value;
  }
};

class Model {
 public:
  virtual ~Model() = default;
  /// images [N,H,W,C] -> logits [N,H,W,1].
  virtual Tensor forward(Pass& pass, const Tensor& images) = 0;
  virtual ParameterSet& parameters() = 0;
  /// What the model is rebuilt from (models/registry.h).
  virtual nlohmann::json config() const = 0;
  virtual std::int64_t in_channels() const = 0;
  /// H and W of the images must be multiples of this.
  virtual std::int64_t size_multiple() const = 0;
};

}  // namespace glia::nn
