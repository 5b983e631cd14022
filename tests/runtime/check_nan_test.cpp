// --check-nan names who made the first value that is not finite, and is silent about what is meant.
#include "engine/runtime/check_nan.h"

#include <limits>

#include "engine/ops/ops.h"
#include "tests/catch.h"

namespace glia::test {

namespace {

const float kNan = std::numeric_limits<float>::quiet_NaN();

std::unique_ptr<Device> watched_cpu() {
  auto device = make_cpu_device(2);
  device->watch(std::make_shared<CheckNan>());
  return device;
}

}  // namespace

TEST_CASE("check-nan: the kernel, the tensor and the element", "[runtime]") {
  const auto device = watched_cpu();
  Tape tape(*device);
  const float large[] = {1, 3e38f, -2, 4};
  const Tensor x = Tensor::from<float>(*device, {1, 2, 2, 1}, large);
  CHECK_THROWS_WITH(
      ops::add(tape, x, x),
      "--check-nan: add of the first layer wrote inf to its y [1, 2, 2, 1] at [0, 0, 1, "
      "0]; all that it read was finite");
}

TEST_CASE("check-nan: a value that no kernel made", "[runtime]") {
  const auto device = watched_cpu();
  Tape tape(*device);
  const float data[] = {1, 2, kNan};
  CHECK_THROWS_WITH(
      ops::scale(tape, Tensor::from<float>(*device, {3}, data), 2),
      ContainsSubstring("wrote nan to its y [3] at [2]; its x held such a value already, "
                        "which no kernel made: look at the data, at --augment and at the weights"));
}

TEST_CASE("check-nan: a channel slice is checked without its neighbours", "[runtime]") {
  const auto device = watched_cpu();
  Tape tape(*device);
  const float wide[] = {kNan, 1, kNan, 2, kNan, 3};  // two channels, of which one is used
  const Tensor x = Tensor::from<float>(*device, {1, 1, 3, 2}, wide).channels(1, 1);
  CHECK_NOTHROW(ops::relu(tape, x));
}

TEST_CASE("check-nan: in the backward pass the layer is that of the parameter", "[runtime]") {
  const auto device = watched_cpu();
  const Tensor w = Tensor::zeros(*device, {1, 1, 1, 1}), x = Tensor::zeros(*device, {1, 1, 1, 1});
  w.set_wants_grad(true);
  device->name(w.view(), "head.conv.weight");
  Tape tape(*device);
  const Tensor y = ops::conv2d(tape, x, w, {}, {});
  const float steep[] = {kNan};
  CHECK_THROWS_WITH(tape.backward(y, Tensor::from<float>(*device, {1, 1, 1, 1}, steep)),
                    ContainsSubstring("scale of head.conv wrote nan"));
}

TEST_CASE("check-nan: infinity that somebody means is no alarm", "[runtime]") {
  const auto device = watched_cpu();
  Tape tape(*device);
  const Tensor x = Tensor::zeros(*device, {1, 2, 2, 3});
  CHECK_NOTHROW(ops::relu(tape, ops::materialise(tape, ops::deferred_relu(tape, x))));
}

}  // namespace glia::test
