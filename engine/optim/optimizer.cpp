#include "engine/optim/optimizer.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/base/json.h"
#include "engine/runtime/run.h"

namespace glia::optim {

namespace {

constexpr Kind kKinds[] = {Kind::adam, Kind::adamw, Kind::sgd, Kind::rmsprop};

std::vector<const char*> state_names(Kind kind) {
  switch (kind) {
    case Kind::adam:
    case Kind::adamw: return {"m", "v"};
    case Kind::sgd: return {"m"};
    case Kind::rmsprop: return {"v"};
  }
  return {};
}

}  // namespace

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::adam: return "adam";
    case Kind::adamw: return "adamw";
    case Kind::sgd: return "sgd";
    case Kind::rmsprop: return "rmsprop";
  }
  return "?";
}

Kind parse_kind(std::string_view text) {
  for (Kind kind : kKinds)
    if (text == name_of(kind)) return kind;
  fail("--optimizer: found '{}', expected adam, adamw, sgd or rmsprop", text);
}

nlohmann::json OptimizerConfig::to_json() const {
  nlohmann::json json = {{"kind", name_of(kind)}, {"weight_decay", weight_decay}};
  switch (kind) {
    case Kind::adam:
    case Kind::adamw:
      json.update({{"beta1", beta1}, {"beta2", beta2}, {"epsilon", epsilon}});
      break;
    case Kind::sgd: json.update({{"momentum", momentum}, {"nesterov", nesterov}}); break;
    case Kind::rmsprop: json.update({{"alpha", alpha}, {"epsilon", epsilon}}); break;
  }
  return json;
}

OptimizerConfig OptimizerConfig::from_json(const nlohmann::json& json, const std::string& name) {
  const auto real = [&](const char* key) { return json_field<double>(json, key, name); };
  OptimizerConfig config{.kind = parse_kind(json_field<std::string>(json, "kind", name)),
                         .weight_decay = real("weight_decay")};
  switch (config.kind) {
    case Kind::adam:
    case Kind::adamw:
      config.beta1 = real("beta1");
      config.beta2 = real("beta2");
      config.epsilon = real("epsilon");
      break;
    case Kind::sgd:
      config.momentum = real("momentum");
      config.nesterov = json_field<bool>(json, "nesterov", false, name);  // not in older runs
      break;
    case Kind::rmsprop:
      config.alpha = real("alpha");
      config.epsilon = real("epsilon");
      break;
  }
  // Runs of earlier versions keep the settings of other kinds too.
  nlohmann::json known = nlohmann::json::object();
  for (const Kind kind : kKinds) known.update(OptimizerConfig{.kind = kind}.to_json());
  check_known_keys(json, known, name);
  return config;
}

void OptimizerConfig::validate() const {
  const auto finite = [](double value) { return std::isfinite(value); };
  // Kernels compute in float32.
  check(weight_decay >= 0 && weight_decay <= std::numeric_limits<float>::max(),
        "--weight-decay: found {}, expected 0 or more, within the range of float32", weight_decay);
  check(momentum >= 0 && momentum < 1, "--momentum: found {}, expected 0 <= m < 1", momentum);
  check(!nesterov || kind == Kind::sgd,
        "--nesterov: is for sgd; found --optimizer {}. Leave it out, or choose --optimizer sgd",
        name_of(kind));
  check(!nesterov || momentum > 0,
        "--nesterov: changes nothing with --momentum 0; leave it out, or choose more momentum");
  check(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1,
        "optimizer: beta1 and beta2 are {} and {}, expected 0 <= beta < 1", beta1, beta2);
  check(alpha >= 0 && alpha < 1, "optimizer: alpha is {}, expected 0 <= alpha < 1", alpha);
  check(finite(epsilon) && epsilon > 0, "optimizer: epsilon is {}, expected more than 0", epsilon);
}

Optimizer::Optimizer(const OptimizerConfig& config, nn::ParameterSet& parameters)
    : config_(config), parameters_(parameters) {
  config.validate();
  const Tensor& values = parameters.flat_values();
  for (const char* name : state_names(config.kind))
    state_.push_back({name, Tensor::zeros(values.device(), values.shape(), values.dtype())});
  progress_ = Tensor::zeros(values.device(), {2}, DType::f64);
  not_finite_ = Tensor::zeros(values.device(), {1}, DType::i64);
}

void Optimizer::step(double learning_rate) {
  announce(learning_rate);
  apply();
}

void Optimizer::announce(double learning_rate) {
  ++steps_;
  const double progress[] = {static_cast<double>(steps_), learning_rate};
  progress_.copy_from(std::span<const double>(progress));
}

void Optimizer::apply() {
  Device& device = parameters_.flat_values().device();
  const Tensor &w = parameters_.flat_values(), &g = parameters_.flat_grads();
  const Tensor& shadow = parameters_.flat_shadow();
  switch (config_.kind) {
    case Kind::adam:
    case Kind::adamw:
      return run<&KernelTable::adam_step>(device, {.w = w,
                                                   .m = state_[0].value,
                                                   .v = state_[1].value,
                                                   .g = g,
                                                   .progress = progress_,
                                                   .not_finite = not_finite_,
                                                   .shadow = shadow,
                                                   .beta1 = config_.beta1,
                                                   .beta2 = config_.beta2,
                                                   .epsilon = config_.epsilon,
                                                   .weight_decay = config_.weight_decay,
                                                   .decoupled = config_.kind == Kind::adamw});
    case Kind::sgd:
      return run<&KernelTable::sgd_step>(device, {.w = w,
                                                  .m = state_[0].value,
                                                  .g = g,
                                                  .progress = progress_,
                                                  .not_finite = not_finite_,
                                                  .shadow = shadow,
                                                  .momentum = config_.momentum,
                                                  .weight_decay = config_.weight_decay,
                                                  .nesterov = config_.nesterov});
    case Kind::rmsprop:
      return run<&KernelTable::rmsprop_step>(device, {.w = w,
                                                      .v = state_[0].value,
                                                      .g = g,
                                                      .progress = progress_,
                                                      .not_finite = not_finite_,
                                                      .shadow = shadow,
                                                      .alpha = config_.alpha,
                                                      .epsilon = config_.epsilon,
                                                      .weight_decay = config_.weight_decay});
  }
}

}  // namespace glia::optim
