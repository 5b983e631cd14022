// Optimizers as training uses them: every setting arrives, and what is kept of them is what their
// kind reads. The kernels: tests/ops/optim_step_test.cpp.
#include "engine/optim/optimizer.h"

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "engine/runtime/open_device.h"
#include "tests/catch.h"
#include "tests/train/kept_keys.h"
#include "tests/data/slices.h"

using namespace glia;
using namespace glia::optim;

namespace {

/// The weight 1 after each of two steps with the gradients 0.5 and -0.25.
std::vector<double> two_steps(const OptimizerConfig& config) {
  const auto device = open_device({.device = "cpu", .threads = 1});
  nn::ParameterSet set;
  set.add("w", {1}, {});
  set.allocate(*device);
  const auto count = static_cast<std::size_t>(set.flat_values().shape().numel());
  std::vector<float> values(count, 0);
  values[0] = 1;
  set.flat_values().copy_from(std::span<const float>(values));
  Optimizer optimizer(config, set);
  std::vector<double> result;
  for (const float gradient : {0.5F, -0.25F}) {
    values[0] = gradient;
    set.flat_grads().copy_from(std::span<const float>(values));
    optimizer.step(0.1);
    result.push_back(set.flat_values().to_vector<float>()[0]);
  }
  return result;
}

void check_steps(const OptimizerConfig& config, double first, double second) {
  const std::vector<double> steps = two_steps(config);
  CAPTURE(config.to_json().dump());
  CHECK(steps[0] == Approx(first).margin(1e-6));
  CHECK(steps[1] == Approx(second).margin(1e-6));
}

}  // namespace

TEST_CASE("optimizer: the worked examples of docs/optim.md", "[optimizer]") {
  check_steps({.kind = Kind::adam}, 0.9, 0.873366);
  check_steps({.kind = Kind::adam, .weight_decay = 0.1}, 0.9, 0.854441);
  check_steps({.kind = Kind::adamw, .weight_decay = 0.1}, 0.89, 0.854466);
  check_steps({.kind = Kind::sgd}, 0.95, 0.93);
  check_steps({.kind = Kind::sgd, .nesterov = true}, 0.905, 0.912);
  check_steps({.kind = Kind::sgd, .momentum = 0}, 0.95, 0.975);
  check_steps({.kind = Kind::rmsprop}, 0, 0.449013);
}

TEST_CASE("optimizer: what is kept of it is what its kind reads", "[optimizer]") {
  using Keys = std::vector<std::string>;
  const auto keys = [](const Kind kind) { return test::kept_keys<OptimizerConfig>(kind); };
  CHECK(keys(Kind::adam) == Keys{"beta1", "beta2", "epsilon", "kind", "weight_decay"});
  CHECK(keys(Kind::adamw) == Keys{"beta1", "beta2", "epsilon", "kind", "weight_decay"});
  CHECK(keys(Kind::sgd) == Keys{"kind", "momentum", "nesterov", "weight_decay"});
  CHECK(keys(Kind::rmsprop) == Keys{"alpha", "epsilon", "kind", "weight_decay"});
  const nlohmann::json before_nesterov = {
      {"kind", "sgd"}, {"weight_decay", 0.0}, {"momentum", 0.5}, {"beta1", 0.9}};
  const OptimizerConfig read = OptimizerConfig::from_json(before_nesterov, "run");
  CHECK(read.momentum == 0.5);
  CHECK_FALSE(read.nesterov);
  CHECK(error_of([] {
          OptimizerConfig::from_json({{"kind", "sgd"}, {"weight_decay", 0.0}}, "run");
        }).find("momentum") != std::string::npos);
}

TEST_CASE("optimizer: nesterov is refused where it would change nothing", "[optimizer]") {
  CHECK(error_of([] { OptimizerConfig{.kind = Kind::adam, .nesterov = true}.validate(); }) ==
        "--nesterov: is for sgd; found --optimizer adam. Leave it out, or choose --optimizer sgd");
  CHECK(error_of([] {
          OptimizerConfig{.kind = Kind::sgd, .momentum = 0, .nesterov = true}.validate();
        }) ==
        "--nesterov: changes nothing with --momentum 0; leave it out, or choose more momentum");
  OptimizerConfig{.kind = Kind::sgd, .nesterov = true}.validate();
}
