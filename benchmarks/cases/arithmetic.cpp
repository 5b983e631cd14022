// add, mul, scale, fill, sum and mean, and several of them in a row.
#include "benchmarks/cases/operation.h"
#include "engine/ops/ops.h"
#include "engine/runtime/run.h"

namespace glia::cases {

namespace {

const Shape kArithmeticShapes[] = {{1, 1, 1, 1},  {2, 3, 5, 3}, {1, 4, 3, 16},
                                   {3, 5, 4, 17}, {37},         {2, 33, 35, 17}};

using BinaryOp = Tensor (*)(Tape&, const Tensor&, const Tensor&, const Tensor&);
using SumOp = Tensor (*)(Tape&, const Tensor&);

Case binary_case(const char* op, const Shape& x, BinaryOp call) {
  return {.op = op,
          .text = x.str(),
          .inputs = {{.shape = x, .linear = true}, {.shape = x, .linear = true}},
          .build = [call](Tape& tape, std::span<const Tensor> in,
                          const Tensor& out) { return call(tape, in[0], in[1], out); },
          .takes_out = true};
}

Case scale_case(const Shape& x, double alpha) {
  return {.op = "scale",
          .text = fmt::format("{} by {}", x.str(), alpha),
          .inputs = {{.shape = x, .linear = true}},
          .build = [alpha](Tape& tape, std::span<const Tensor> in,
                           const Tensor& out) { return ops::scale(tape, in[0], alpha, out); },
          .takes_out = true};
}

Case sum_case(const char* op, const Shape& x, SumOp call) {
  return {.op = op,
          .text = x.str(),
          .inputs = {{.shape = x, .linear = true}},
          .build = [call](Tape& tape, std::span<const Tensor> in,
                          const Tensor&) { return call(tape, in[0]); },
          .length = static_cast<double>(x.numel())};
}

Case fill_case(const Shape& y, double alpha) {
  return {.op = "fill",
          .text = fmt::format("{} with {}", y.str(), alpha),
          .inputs = {},
          .build =
              [y, alpha](Tape& tape, std::span<const Tensor>, const Tensor& out) {
                const Tensor filled = out.defined() ? out : Tensor::empty(tape.device(), y);
                run<&KernelTable::fill>(tape.device(), {.y = filled, .alpha = alpha});
                return filled;
              },
          .takes_out = true};
}

Case fold_case(const Shape& parts) {
  return {.op = "fold",
          .text = parts.str(),
          .inputs = {{.shape = parts, .grad = false, .image = false}},
          .build =
              [](Tape& tape, std::span<const Tensor> in, const Tensor&) {
                // Of a copy, since it adds up in place.
                return ops::fold(tape, ops::scale(tape, in[0], 1));
              },
          .length = static_cast<double>(parts[0])};
}

using In = std::span<const Tensor>;

Case composite_case(const char* text, std::size_t inputs, Tensor (*call)(Tape&, In)) {
  return {.op = "composite",
          .text = text,
          .inputs = std::vector<Input>(inputs, Input{.shape = {2, 3, 4, 5}, .length = 2}),
          .build = [call](Tape& tape, In in, const Tensor&) { return call(tape, in); },
          .length = 2};
}

std::vector<Case> add_shapes() {
  std::vector<Case> cases;
  for (const Shape& x : kArithmeticShapes) cases.push_back(binary_case("add", x, ops::add));
  return cases;
}

std::vector<Case> mul_shapes() {
  std::vector<Case> cases;
  for (const Shape& x : kArithmeticShapes) cases.push_back(binary_case("mul", x, ops::mul));
  return cases;
}

std::vector<Case> scale_shapes() {
  std::vector<Case> cases;
  for (const Shape& x : kArithmeticShapes)
    for (double alpha : {-1.5, 1.0, 0.1}) cases.push_back(scale_case(x, alpha));
  return cases;
}

std::vector<Case> sum_shapes() {
  std::vector<Case> cases;
  for (const Shape& x : kArithmeticShapes) cases.push_back(sum_case("sum", x, ops::sum));
  return cases;
}

std::vector<Case> fold_parts() {
  std::vector<Case> cases;
  for (const Shape& parts :
       {Shape{1, 5}, Shape{2, 16}, Shape{3, 7}, Shape{4, 33}, Shape{7, 1}, Shape{8, 9001}})
    cases.push_back(fold_case(parts));
  return cases;
}

std::vector<Case> mean_shapes() {
  std::vector<Case> cases;
  for (const Shape& x : kArithmeticShapes) cases.push_back(sum_case("mean", x, ops::mean));
  return cases;
}

std::vector<Case> tape_consumers() {
  return {
      composite_case("x * x", 1, [](Tape& t, In in) { return ops::mul(t, in[0], in[0]); }),
      composite_case("x + x", 1, [](Tape& t, In in) { return ops::add(t, in[0], in[0]); }),
      composite_case("(a + b) * a", 2,
                     [](Tape& t, In in) { return ops::mul(t, ops::add(t, in[0], in[1]), in[0]); }),
      // The operands of a sum must not share one gradient: that of b would get a's second part.
      composite_case("sum(a' + b') + sum(a' * a')", 2,
                     [](Tape& t, In in) {
                       const Tensor a = ops::scale(t, in[0], 2), b = ops::scale(t, in[1], 3);
                       const Tensor square = ops::sum(t, ops::mul(t, a, a));
                       return ops::add(t, ops::sum(t, ops::add(t, a, b)), square);
                     }),
      composite_case("residual", 2,
                     [](Tape& t, In in) {
                       const Tensor h = ops::sigmoid(t, ops::mul(t, in[0], in[1]));
                       return ops::add(t, in[0], ops::add(t, h, in[1]));
                     }),
  };
}

}  // namespace

Operation add_operation() {
  return {
      .name = "add",
      .image = false,
      .at = [](const Dimensions& d) { return std::vector{binary_case("add", d.shape, ops::add)}; },
      .groups = {{"shapes", "images and a vector", add_shapes}}};
}

Operation mul_operation() {
  return {
      .name = "mul",
      .image = false,
      .at = [](const Dimensions& d) { return std::vector{binary_case("mul", d.shape, ops::mul)}; },
      .groups = {{"shapes", "images and a vector", mul_shapes}}};
}

Operation scale_operation() {
  return {.name = "scale",
          .image = false,
          .at = [](const Dimensions& d) { return std::vector{scale_case(d.shape, -1.5)}; },
          .groups = {{"shapes", "images and a vector", scale_shapes}}};
}

Operation fill_operation() {
  return {.name = "fill", .image = false, .at = [](const Dimensions& d) {
            return std::vector{fill_case(d.shape, 1)};
          }};
}

Operation sum_operation() {
  return {.name = "sum",
          .image = false,
          .at = [](const Dimensions& d) { return std::vector{sum_case("sum", d.shape, ops::sum)}; },
          .groups = {{"shapes", "images and a vector", sum_shapes}}};
}

Operation fold_operation() {
  return {.name = "fold",
          .image = false,
          .at =
              [](const Dimensions& d) {
                return std::vector{fold_case({4, d.shape.numel()})};
              },
          .groups = {{"parts", "up to eight parts", fold_parts}}};
}

Operation mean_operation() {
  return {.name = "mean", .groups = {{"shapes", "images and a vector", mean_shapes}}};
}

Operation tape_operation() {
  return {.name = "tape",
          .groups = {{"consumers", "tensors with several consumers", tape_consumers}}};
}

}  // namespace glia::cases
