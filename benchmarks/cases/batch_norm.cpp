// batch_norm in training (batch statistics, running ones updated) and evaluation (running ones).
#include <cmath>

#include "benchmarks/cases/operation.h"
#include "engine/ops/ops.h"

namespace glia::cases {

namespace {

/// Inputs: x, gamma, beta, running mean, running variance. x lies in centre +- spread.
Case batch_norm_case(bool training, const Shape& x, double centre = 0, double spread = 1) {
  const std::int64_t c = x.channels();
  const auto rows = static_cast<double>(x.numel() / c);
  Case test{
      .op = "batch_norm",
      .text = fmt::format("{} x {} in {} +- {}", training ? "training" : "evaluation", x.str(),
                          centre, spread),
      .inputs =
          {{.shape = x,
            .low = centre - spread,
            .high = centre + spread,
            .linear = !training,
            .length = training ? rows : 1},
           {.shape = {c}, .low = 0.5, .high = 2, .image = false, .linear = true, .length = rows},
           {.shape = {c}, .image = false, .linear = true, .length = rows},
           {.shape = {c},
            .low = centre - spread,
            .high = centre + spread,
            .grad = false,
            .image = false},
           {.shape = {c}, .low = 0.5, .high = 2, .grad = false, .image = false}},
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

std::vector<Case> batch_norm_training() {
  return {
      batch_norm_case(true, {2, 3, 5, 3}),
      batch_norm_case(true, {3, 5, 4, 17}),
      batch_norm_case(true, {1, 7, 3, 32}),
      batch_norm_case(true, {2, 3, 3, 70}),
      batch_norm_case(true, {2, 33, 31, 16}),
      batch_norm_case(true, {2, 4, 5, 3}, 100, 1),
      batch_norm_case(true, {2, 9, 5, 5}, 1000, 0.5),
      batch_norm_case(true, {2, 4, 5, 3}, 0, 100),
      batch_norm_case(true, {2, 4, 5, 3}, 0, 0.01),
  };
}

std::vector<Case> batch_norm_evaluation() {
  return {
      batch_norm_case(false, {1, 1, 1, 1}),         batch_norm_case(false, {2, 3, 5, 3}),
      batch_norm_case(false, {3, 5, 4, 17}),        batch_norm_case(false, {2, 33, 31, 16}),
      batch_norm_case(false, {2, 4, 5, 3}, 100, 1),
  };
}

std::vector<Case> batch_norm_operands() {
  std::vector<Case> cases;
  for (bool training : {true, false})
    for (bool image : {true, false}) {
      Case& test = cases.emplace_back(batch_norm_case(training, {2, 4, 5, 3}));
      test.inputs[0].grad = image;
      test.inputs[1].grad = test.inputs[2].grad = !image;
    }
  return cases;
}

std::vector<Case> batch_norm_two_values() {
  Case test = batch_norm_case(true, {1, 1, 2, 1});
  test.inputs[0].grad = false;  // xhat is +-1 whatever x is: dx is a remainder of rounding
  return {test};
}

std::vector<Case> batch_norm_no_variance() {
  Case test = batch_norm_case(true, {1, 2, 3, 2});
  test.inputs[0].values = {3, 1, 3, 2, 3, -1, 3, 0.5, 3, 0.25, 3, 4};
  test.inputs[0].grad = false;  // its gradients in that channel are amplified rounding errors
  return {test};
}

std::vector<Case> batch_norm_at(const Dimensions& d) {
  std::vector<Case> cases{batch_norm_case(true, d.shape), batch_norm_case(false, d.shape)};
  cases[0].name = "training";
  cases[1].name = "evaluation";
  return cases;
}

}  // namespace

Operation batch_norm_operation() {
  return {.name = "batch_norm",
          .at = batch_norm_at,
          .groups = {{"training", "statistics of the batch", batch_norm_training},
                     {"evaluation", "running statistics", batch_norm_evaluation},
                     {"operands", "gradients of only the image or only the parameters",
                      batch_norm_operands},
                     {"two-values", "two values a channel", batch_norm_two_values},
                     {"no-variance", "a channel of equal values", batch_norm_no_variance}}};
}

}  // namespace glia::cases
