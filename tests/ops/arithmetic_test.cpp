// add, mul, scale, sum, mean, and tensors with several consumers.
#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

namespace {

const Shape kShapes[] = {{1, 1, 1, 1},  {2, 3, 5, 3}, {1, 4, 3, 16},
                         {3, 5, 4, 17}, {37},         {2, 33, 35, 17}};

template <class Op>
Case binary_case(const char* op, const Shape& x, Op call) {
  return {.op = op,
          .name = x.str(),
          .inputs = {{.shape = x, .linear = true}, {.shape = x, .linear = true}},
          .build = [call](Tape& tape, std::span<const Tensor> in,
                          const Tensor& out) { return call(tape, in[0], in[1], out); },
          .takes_out = true};
}

template <class Op>
Case sum_case(const char* op, const Shape& x, Op call) {
  return {.op = op,
          .name = x.str(),
          .inputs = {{.shape = x, .linear = true}},
          .build = [call](Tape& tape, std::span<const Tensor> in,
                          const Tensor&) { return call(tape, in[0]); },
          .length = static_cast<double>(x.numel())};
}

template <class Op>
Case composite_case(const char* name, std::size_t inputs, Op call) {
  return {.op = "composite",
          .name = name,
          .inputs = std::vector<Input>(inputs, Input{.shape = {2, 3, 4, 5}, .length = 2}),
          .build = [call](Tape& tape, std::span<const Tensor> in,
                          const Tensor&) { return call(tape, in); },
          .length = 2};
}

}  // namespace

TEST_CASE("add, mul and scale", "[ops]") {
  std::vector<Case> cases;
  for (const Shape& x : kShapes) {
    cases.push_back(binary_case("add", x, ops::add));
    cases.push_back(binary_case("mul", x, ops::mul));
    for (double alpha : {-1.5, 1.0, 0.1})
      cases.push_back(
          {.op = "scale",
           .name = fmt::format("{} by {}", x.str(), alpha),
           .inputs = {{.shape = x, .linear = true}},
           .build = [alpha](Tape& tape, std::span<const Tensor> in,
                            const Tensor& out) { return ops::scale(tape, in[0], alpha, out); },
           .takes_out = true});
  }
  check_cases(cases);
}

TEST_CASE("sum and mean", "[ops]") {
  std::vector<Case> cases;
  for (const Shape& x : kShapes) {
    cases.push_back(sum_case("sum", x, ops::sum));
    cases.push_back(sum_case("mean", x, ops::mean));
  }
  check_cases(cases);
}

TEST_CASE("a tensor with several consumers gets the sum of their gradients", "[ops]") {
  using In = std::span<const Tensor>;
  const Case cases[] = {
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
  check_cases(cases);
}

TEST_CASE("add, mul, scale, sum and mean: error texts", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const Tensor a = Tensor::zeros(*device, {2, 3}), b = Tensor::zeros(*device, {3, 2});
  CHECK_THROWS_WITH(ops::add(tape, a, b),
                    "add: the operands are [2, 3] and [3, 2], expected the same shape");
  CHECK_THROWS_WITH(ops::mul(tape, a, b),
                    "mul: the operands are [2, 3] and [3, 2], expected the same shape");
  CHECK_THROWS_WITH(ops::add(tape, a, {}), "add: second operand is not given");
  CHECK_THROWS_WITH(ops::scale(tape, a, 2, b), "scale: out is [3, 2], expected [2, 3]");
  CHECK_THROWS_WITH(ops::sum(tape, {}), "sum: input is not given");
  CHECK_THROWS_WITH(ops::mean(tape, Tensor::zeros(*device, {0, 3})),
                    "mean: found no elements, expected one or more");
}

}  // namespace glia::test
