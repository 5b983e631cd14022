#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

TEST_CASE("sigmoid", "[ops]") {
  std::vector<Case> cases;
  const auto add_case = [&](const Shape& x, double range) {
    cases.push_back({.op = "sigmoid",
                     .name = fmt::format("{} in +-{}", x.str(), range),
                     .inputs = {{.shape = x, .low = -range, .high = range, .min_nonzero = 0.3}},
                     .build = [](Tape& tape, std::span<const Tensor> in,
                                 const Tensor& out) { return ops::sigmoid(tape, in[0], out); },
                     .takes_out = true});
  };
  for (const Shape& x : {Shape{1, 1, 1, 1}, Shape{2, 3, 5, 3}, Shape{1, 4, 3, 16},
                         Shape{3, 5, 4, 17}, Shape{37}, Shape{2, 33, 35, 17}})
    add_case(x, 2);
  add_case({2, 3, 5, 3}, 20);
  cases.back().samples = 90;  // all of them: errors are judged by the largest, most are near 0
  check_cases(cases);
}

TEST_CASE("sigmoid: saturates without overflow and keeps small probabilities", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device, Tape::Mode::off);
  const float values[] = {-1000, -100, 0, 100, 1000, -20};
  const std::vector<float> y =
      ops::sigmoid(tape, Tensor::from<float>(*device, {6}, values)).to_vector<float>();
  CHECK((y[0] >= 0 && y[0] < 1e-37f));
  CHECK((y[1] >= 0 && y[1] < 1e-37f));
  CHECK(y[2] == 0.5f);
  CHECK(y[3] == 1);
  CHECK(y[4] == 1);
  CHECK(y[5] == Approx(2.0611536e-9).epsilon(1e-6));
}

TEST_CASE("sigmoid: error texts", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  CHECK_THROWS_WITH(ops::sigmoid(tape, Tensor()), "sigmoid: input is not given");
}

}  // namespace glia::test
