// concat: shares memory instead of copying, forward and backward, also where one of its inputs has
// a second consumer, as the encoder's end of a skip connection has.
#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

TEST_CASE("concat: values and gradients", "[ops]") {
  check_cases(cases::find("concat.channels"));
}

TEST_CASE("concat: a part that wants no gradient", "[ops]") {
  check_cases(cases::find("concat.constant"));
}

TEST_CASE("concat: copies nothing", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const Tensor buffer = Tensor::zeros(*device, {1, 2, 2, 8});
  const Tensor parts[] = {buffer.channels(2, 3), buffer.channels(5, 2)};
  const Tensor y = ops::concat(tape, parts);
  CHECK(y.shape() == Shape{1, 2, 2, 5});
  CHECK(y.view().data == parts[0].view().data);
  CHECK(y.view().pitch == 8);
}

TEST_CASE("concat: error texts", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const Tensor buffer = Tensor::zeros(*device, {1, 2, 2, 8});
  const auto join = [&](const std::vector<Tensor>& parts) { return ops::concat(tape, parts); };
  const std::string mend = "; let the producers write into channels() of one buffer";
  CHECK_THROWS_WITH(join({}), "concat: found no tensors, expected one or more");
  CHECK_THROWS_WITH(
      join({buffer.channels(0, 3), buffer.channels(4, 2)}),
      "concat: [1, 2, 2, 2] does not lie right after 3 channels of [1, 2, 2, 3]" + mend);
  CHECK_THROWS_WITH(
      join({buffer, Tensor::zeros(*device, {1, 2, 2, 1})}),
      "concat: [1, 2, 2, 1] does not lie right after 8 channels of [1, 2, 2, 8]" + mend);
}

}  // namespace glia::test
