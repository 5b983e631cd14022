// add, mul, scale, sum, mean, and tensors with several consumers.
#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

TEST_CASE("add, mul and scale", "[ops]") {
  for (const char* group : {"add.shapes", "mul.shapes", "scale.shapes"})
    check_cases(cases::find(group));
}

TEST_CASE("sum and mean", "[ops]") {
  for (const char* group : {"sum.shapes", "mean.shapes"}) check_cases(cases::find(group));
}

TEST_CASE("a tensor with several consumers gets the sum of their gradients", "[ops]") {
  check_cases(cases::find("tape.consumers"));
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
