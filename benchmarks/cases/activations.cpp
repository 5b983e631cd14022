// relu, sigmoid, dropout and threshold.
#include "benchmarks/cases/operation.h"
#include "engine/ops/ops.h"

namespace glia::cases {

namespace {

const Shape kActivationShapes[] = {{1, 1, 1, 1},  {2, 3, 5, 3}, {1, 4, 3, 16},
                                   {3, 5, 4, 17}, {37},         {2, 33, 35, 17}};
constexpr std::uint64_t kDropoutSeed = 7, kDropoutStream = 11;

Case relu_case(const Shape& x) {
  return {.op = "relu",
          .text = x.str(),
          .inputs = {{.shape = x, .fill = Fill::off_zero, .min_nonzero = x.numel() > 1 ? 0.2 : 0}},
          .build = [](Tape& tape, std::span<const Tensor> in,
                      const Tensor& out) { return ops::relu(tape, in[0], out); },
          .takes_out = true};
}

std::vector<Case> relu_shapes() {
  std::vector<Case> cases;
  for (const Shape& x : kActivationShapes) cases.push_back(relu_case(x));
  cases[0].inputs[0].values = {0.5};
  return cases;
}

std::vector<Case> relu_deferred() {
  std::vector<Case> cases;
  for (const Shape& x : {Shape{2, 3, 5, 3}, Shape{1, 7, 3, 32}, Shape{2, 3, 3, 17}}) {
    Case& test = cases.emplace_back(relu_case(x));
    test.text = fmt::format("deferred, {}", x.str());
    test.build = [](Tape& tape, std::span<const Tensor> in, const Tensor& out) {
      return ops::materialise(tape, ops::deferred_relu(tape, in[0]), out);
    };
  }
  return cases;
}

Case sigmoid_case(const Shape& x, double range) {
  return {.op = "sigmoid",
          .text = fmt::format("{} in +-{}", x.str(), range),
          .inputs = {{.shape = x, .low = -range, .high = range, .min_nonzero = 0.3}},
          .build = [](Tape& tape, std::span<const Tensor> in,
                      const Tensor& out) { return ops::sigmoid(tape, in[0], out); },
          .takes_out = true};
}

std::vector<Case> sigmoid_shapes() {
  std::vector<Case> cases;
  for (const Shape& x : kActivationShapes) cases.push_back(sigmoid_case(x, 2));
  cases.push_back(sigmoid_case({2, 3, 5, 3}, 20));
  cases.back().samples = 90;  // all of them: errors are judged by the largest, most are near 0
  return cases;
}

Case dropout_case(const Shape& x, double p) {
  return {.op = "dropout",
          .text = fmt::format("{}, p {}", x.str(), p),
          .inputs = {{.shape = x, .linear = true, .min_nonzero = (1 - p) / 5}},
          .build =
              [p](Tape& tape, std::span<const Tensor> in, const Tensor& out) {
                return ops::dropout(tape, in[0], p, kDropoutSeed, kDropoutStream, out);
              },
          .takes_out = true,
          .samples = 48};
}

std::vector<Case> dropout_shapes() {
  std::vector<Case> cases;
  for (const Shape& x :
       {Shape{2, 3, 5, 3}, Shape{1, 4, 3, 16}, Shape{3, 5, 4, 17}, Shape{37}, Shape{2, 33, 35, 17}})
    for (double p : {0.0, 0.5, 0.9}) cases.push_back(dropout_case(x, p));
  return cases;
}

std::vector<Case> dropout_counter() {
  std::vector<Case> cases;
  for (std::int64_t counter : {0, 1, 70000}) {
    Case& test = cases.emplace_back(dropout_case({2, 3, 5, 3}, 0.5));
    test.text += fmt::format(", counter {}", counter);
    test.build = [counter](Tape& tape, std::span<const Tensor> in, const Tensor& out) {
      const Tensor place = Tensor::from<std::int64_t>(tape.device(), {1}, std::span(&counter, 1));
      return ops::dropout(tape, in[0], 0.5, kDropoutSeed, kDropoutStream, out, place);
    };
  }
  return cases;
}

Case threshold_case(const Shape& x, double t) {
  return {.op = "threshold",
          .text = fmt::format("{} at {}", x.str(), t),
          .inputs = {{.shape = x, .grad = false}},
          .build = [t](Tape& tape, std::span<const Tensor> in, const Tensor&) {
            return ops::threshold(tape, in[0], t);
          }};
}

std::vector<Case> threshold_shapes() {
  std::vector<Case> cases;
  for (const Shape& x : {Shape{1, 1, 1, 1}, Shape{2, 3, 5, 3}, Shape{3, 8, 7, 1},
                         Shape{1, 4, 3, 16}, Shape{3, 65, 67, 1}})
    for (double t : {0.5, -0.25, 2.0}) cases.push_back(threshold_case(x, t));
  return cases;
}

}  // namespace

Operation relu_operation() {
  return {.name = "relu",
          .image = false,
          .at = [](const Dimensions& d) { return std::vector{relu_case(d.shape)}; },
          .groups = {{"shapes", "images and a vector", relu_shapes},
                     {"deferred", "while materialise reads", relu_deferred}}};
}

Operation sigmoid_operation() {
  return {.name = "sigmoid",
          .image = false,
          .at = [](const Dimensions& d) { return std::vector{sigmoid_case(d.shape, 2)}; },
          .groups = {{"shapes", "images and a vector", sigmoid_shapes}}};
}

Operation dropout_operation() {
  return {.name = "dropout",
          .image = false,
          .at = [](const Dimensions& d) { return std::vector{dropout_case(d.shape, 0.5)}; },
          .groups = {{"shapes", "images and a vector", dropout_shapes},
                     {"counter", "streams that a counter in memory moves on", dropout_counter}}};
}

Operation threshold_operation() {
  return {.name = "threshold",
          .image = false,
          .at = [](const Dimensions& d) { return std::vector{threshold_case(d.shape, 0.5)}; },
          .groups = {{"shapes", "images of one and more channels", threshold_shapes}}};
}

}  // namespace glia::cases
