// batch_norm in training (batch statistics, running ones updated) and evaluation (running ones).
#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

TEST_CASE("batch_norm: training", "[ops]") {
  check_cases(cases::find("batch_norm.training"));
}

TEST_CASE("batch_norm: evaluation", "[ops]") {
  check_cases(cases::find("batch_norm.evaluation"));
}

TEST_CASE("batch_norm: gradients of only the image or only the parameters", "[ops]") {
  check_cases(cases::find("batch_norm.operands"));
}

TEST_CASE("batch_norm: two values a channel", "[ops]") {
  check_cases(cases::find("batch_norm.two-values"));
}

TEST_CASE("batch_norm: a channel without variance stays finite", "[ops]") {
  check_cases(cases::find("batch_norm.no-variance"));
}

TEST_CASE("batch_norm: known running statistics", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const float values[] = {1, 2, 3, 6}, one[] = {1}, zero[] = {0};
  const Tensor x = Tensor::from<float>(*device, {1, 2, 2, 1}, values);
  const ops::BatchNormState state{.running_mean = Tensor::from<float>(*device, {1}, zero),
                                  .running_var = Tensor::from<float>(*device, {1}, one),
                                  .momentum = 0.5};
  ops::batch_norm(tape, x, Tensor::from<float>(*device, {1}, one),
                  Tensor::from<float>(*device, {1}, zero), state, true);
  CHECK(state.running_mean.item() == Approx(1.5));                // mean 3
  CHECK(state.running_var.item() == Approx(0.5 + 0.5 * 14 / 3));  // unbiased variance 14/3
}

TEST_CASE("batch_norm: error texts", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const auto zeros = [&](const Shape& shape) { return Tensor::zeros(*device, shape); };
  const auto norm = [&](const Shape& x, std::int64_t gamma, std::int64_t running,
                        double epsilon = 1e-5) {
    return ops::batch_norm(
        tape, zeros(x), zeros({gamma}), zeros({3}),
        {.running_mean = zeros({3}), .running_var = zeros({running}), .epsilon = epsilon}, true);
  };
  CHECK_THROWS_WITH(norm({4, 3}, 3, 3),
                    "batch_norm: input is [4, 3], expected non-empty [N, H, W, C]");
  CHECK_THROWS_WITH(norm({1, 2, 2, 3}, 4, 3), "batch_norm: gamma is [4], expected [3]");
  CHECK_THROWS_WITH(norm({1, 2, 2, 3}, 3, 2), "batch_norm: running_var is [2], expected [3]");
  CHECK_THROWS_WITH(norm({1, 2, 2, 3}, 3, 3, 0), "batch_norm: epsilon is 0, expected more than 0");
  CHECK_THROWS_WITH(norm({1, 1, 1, 3}, 3, 3),
                    "batch_norm: found one value a channel (input [1, 1, 1, 3]), expected two or "
                    "more in training");
}

}  // namespace glia::test
