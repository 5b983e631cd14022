#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

TEST_CASE("sigmoid", "[ops]") {
  check_cases(cases::find("sigmoid.shapes"));
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
