#include <limits>

#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

TEST_CASE("relu", "[ops]") {
  check_cases(cases::find("relu.shapes"));
}

TEST_CASE("relu: known values and the gradient at 0", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const float infinity = std::numeric_limits<float>::infinity();
  const float values[] = {-infinity, -2, -0.0f, 0, 1e-30f, 3, infinity},
              ones[] = {1, 1, 1, 1, 1, 1, 1};
  const Tensor x = Tensor::from<float>(*device, {7}, values);
  x.set_wants_grad(true);
  const Tensor y = ops::relu(tape, x);
  CHECK(y.to_vector<float>() == std::vector<float>{0, 0, 0, 0, 1e-30f, 3, infinity});
  tape.backward(y, Tensor::from<float>(*device, {7}, ones));
  CHECK(x.grad().to_vector<float>() == std::vector<float>{0, 0, 0, 0, 1, 1, 1});
}

TEST_CASE("relu: error texts", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  CHECK_THROWS_WITH(ops::relu(tape, Tensor()), "relu: input is not given");
  CHECK_THROWS_WITH(ops::relu(tape, Tensor::zeros(*device, {4}), Tensor::zeros(*device, {5})),
                    "relu: out is [5], expected [4]");
}

}  // namespace glia::test
