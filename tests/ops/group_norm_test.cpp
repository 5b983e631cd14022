// group_norm from one group (layer norm) to one a channel (instance norm).
#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

TEST_CASE("group_norm", "[ops]") {
  check_cases(cases::find("group_norm.shapes"));
}

TEST_CASE("group_norm: gradients of only the image or only the parameters", "[ops]") {
  check_cases(cases::find("group_norm.operands"));
}

TEST_CASE("group_norm: error texts", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const auto zeros = [&](const Shape& shape) { return Tensor::zeros(*device, shape); };
  const auto norm = [&](std::int64_t gamma, std::int64_t groups, double epsilon = 1e-5) {
    return ops::group_norm(tape, zeros({1, 2, 2, 6}), zeros({gamma}), zeros({6}), groups, epsilon);
  };
  CHECK_THROWS_WITH(norm(5, 2), "group_norm: gamma is [5], expected [6]");
  CHECK_THROWS_WITH(norm(6, 4), "group_norm: found 4 groups for 6 channels, expected a divisor");
  CHECK_THROWS_WITH(norm(6, 0), "group_norm: found 0 groups for 6 channels, expected a divisor");
  CHECK_THROWS_WITH(norm(6, 2, -1), "group_norm: epsilon is -1, expected more than 0");
}

}  // namespace glia::test
