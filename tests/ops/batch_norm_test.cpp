// batch_norm in training (batch statistics, running ones updated) and evaluation (running ones).
#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

namespace {

/// Inputs: x, gamma, beta, running mean, running variance. x lies in centre +- spread.
Case norm_case(bool training, const Shape& x, double centre = 0, double spread = 1) {
  const std::int64_t c = x.channels();
  const auto rows = static_cast<double>(x.numel() / c);
  Case test{
      .op = "batch_norm",
      .name = fmt::format("{} x {} in {} +- {}", training ? "training" : "evaluation", x.str(),
                          centre, spread),
      .inputs = {{.shape = x,
                  .low = centre - spread,
                  .high = centre + spread,
                  .linear = !training,
                  .length = training ? rows : 1},
                 {.shape = {c}, .low = 0.5, .high = 2, .linear = true, .length = rows},
                 {.shape = {c}, .linear = true, .length = rows},
                 {.shape = {c}, .low = centre - spread, .high = centre + spread, .grad = false},
                 {.shape = {c}, .low = 0.5, .high = 2, .grad = false}},
      .build =
          [training](Tape& tape, std::span<const Tensor> in, const Tensor& out) {
            const ops::BatchNormState state{.running_mean = in[3], .running_var = in[4]};
            return ops::batch_norm(tape, in[0], in[1], in[2], state, training, out);
          },
      .length = training ? rows : 1,
      .condition = 1 + std::abs(centre) / (training ? spread : 1),
      .takes_out = true};
  if (training) test.updated = {3, 4};
  return test;
}

}  // namespace

TEST_CASE("batch_norm: training", "[ops]") {
  const Case cases[] = {
      norm_case(true, {2, 3, 5, 3}),
      norm_case(true, {3, 5, 4, 17}),
      norm_case(true, {1, 7, 3, 32}),
      norm_case(true, {2, 3, 3, 70}),
      norm_case(true, {2, 33, 31, 16}),
      norm_case(true, {2, 4, 5, 3}, 100, 1),
      norm_case(true, {2, 9, 5, 5}, 1000, 0.5),
      norm_case(true, {2, 4, 5, 3}, 0, 100),
      norm_case(true, {2, 4, 5, 3}, 0, 0.01),
  };
  check_cases(cases);
}

TEST_CASE("batch_norm: evaluation", "[ops]") {
  const Case cases[] = {
      norm_case(false, {1, 1, 1, 1}),         norm_case(false, {2, 3, 5, 3}),
      norm_case(false, {3, 5, 4, 17}),        norm_case(false, {2, 33, 31, 16}),
      norm_case(false, {2, 4, 5, 3}, 100, 1),
  };
  check_cases(cases);
}

TEST_CASE("batch_norm: gradients of only the image or only the parameters", "[ops]") {
  for (bool training : {true, false})
    for (bool image : {true, false}) {
      Case test = norm_case(training, {2, 4, 5, 3});
      test.inputs[0].grad = image;
      test.inputs[1].grad = test.inputs[2].grad = !image;
      check_cases({&test, 1});
    }
}

TEST_CASE("batch_norm: two values a channel", "[ops]") {
  Case test = norm_case(true, {1, 1, 2, 1});
  test.inputs[0].grad = false;  // xhat is +-1 whatever x is: dx is a remainder of rounding
  check_cases({&test, 1});
}

TEST_CASE("batch_norm: a channel without variance stays finite", "[ops]") {
  Case test = norm_case(true, {1, 2, 3, 2});
  test.inputs[0].values = {3, 1, 3, 2, 3, -1, 3, 0.5, 3, 0.25, 3, 4};
  test.inputs[0].grad = false;  // its gradients in that channel are amplified rounding errors
  check_cases({&test, 1});
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
