// Optimizers over the flat buffers of a parameter set. Formulas: kernels/api/optim.h,
// docs/optim.md.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/nn/parameters.h"

namespace glia::optim {

enum class Kind { adam, adamw, sgd, rmsprop };

const char* name_of(Kind kind);
/// Throws `Error` listing the choices.
Kind parse_kind(std::string_view text);

struct OptimizerConfig {
  Kind kind = Kind::adam;
  double weight_decay = 0;            // decoupled for adamw, else added to the gradient
  double beta1 = 0.9, beta2 = 0.999;  // adam, adamw
  double momentum = 0.9;              // sgd
  bool nesterov = false;              // sgd
  double alpha = 0.99;                // rmsprop
  double epsilon = 1e-8;              // adam, adamw, rmsprop

  /// Only what an optimizer of this kind reads.
  nlohmann::json to_json() const;
  /// Throws `Error`, led by `name`, on a field of the kind that is missing or of another type.
  static OptimizerConfig from_json(const nlohmann::json& json, const std::string& name);
  /// Throws `Error` naming the flag of a value that is out of range.
  void validate() const;
};

class Optimizer {
 public:
  /// The set must be allocated and must outlive the optimizer.
  Optimizer(const OptimizerConfig& config, nn::ParameterSet& parameters);

  /// One step with the gradients as they are: `announce` and `apply`.
  void step(double learning_rate);
  /// Counts the step and writes its number and learning rate to where `apply` finds them, so that a
  /// captured `apply` can be replayed.
  void announce(double learning_rate);
  void apply();

  /// [1] i64 on the device: 0 as long as the weights and the state were finite after every step,
  /// which they are not once a gradient was not: `apply` looks at them as it writes them.
  const Tensor& not_finite() const { return not_finite_; }

  /// Steps done so far.
  std::int64_t steps() const { return steps_; }
  void set_steps(std::int64_t steps) { steps_ = steps; }

  /// Flat state to be saved and restored, zero before the first step.
  struct State {
    std::string name;
    Tensor value;
  };
  const std::vector<State>& state() const { return state_; }

 private:
  OptimizerConfig config_;
  nn::ParameterSet& parameters_;
  std::vector<State> state_;
  Tensor progress_;    // [2] f64: step, learning rate
  Tensor not_finite_;  // [1] i64: 1 once it was so
  std::int64_t steps_ = 0;
};

}  // namespace glia::optim
