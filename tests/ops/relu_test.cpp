#include <limits>

#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

TEST_CASE("relu", "[ops]") {
  std::vector<Case> cases;
  for (const Shape& x : {Shape{1, 1, 1, 1}, Shape{2, 3, 5, 3}, Shape{1, 4, 3, 16},
                         Shape{3, 5, 4, 17}, Shape{37}, Shape{2, 33, 35, 17}})
    cases.push_back(
        {.op = "relu",
         .name = x.str(),
         .inputs = {{.shape = x, .fill = Fill::off_zero, .min_nonzero = x.numel() > 1 ? 0.2 : 0}},
         .build = [](Tape& tape, std::span<const Tensor> in,
                     const Tensor& out) { return ops::relu(tape, in[0], out); },
         .takes_out = true});
  cases[0].inputs[0].values = {0.5};
  check_cases(cases);
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
