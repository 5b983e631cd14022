#include <limits>

#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

namespace {

/// The gradient of sum(max_pool2d(x)) for one 2x2 image.
std::vector<float> gradient_of(std::span<const float> values) {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const Tensor x = Tensor::from<float>(*device, {1, 2, 2, 1}, values);
  x.set_wants_grad(true);
  tape.backward(ops::sum(tape, ops::max_pool2d(tape, x)));
  return x.grad().to_vector<float>();
}

}  // namespace

TEST_CASE("max_pool2d", "[ops]") {
  check_cases(cases::find("max_pool2d.windows"));
}

TEST_CASE("max_pool2d: the first of equal maxima gets the gradient", "[ops]") {
  using Floats = std::vector<float>;
  CHECK(gradient_of(Floats{1, 1, 1, 1}) == Floats{1, 0, 0, 0});
  CHECK(gradient_of(Floats{0, 2, 2, 1}) == Floats{0, 1, 0, 0});
  CHECK(gradient_of(Floats{0, 0, 1, 1}) == Floats{0, 0, 1, 0});
  CHECK(gradient_of(Floats{-0.0f, 0, -1, -1}) == Floats{1, 0, 0, 0});
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(gradient_of(Floats{-infinity, -infinity, -infinity, -infinity}) == Floats{1, 0, 0, 0});
}

TEST_CASE("max_pool2d: a NaN wins, wherever it is", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device, Tape::Mode::off);
  for (std::size_t place = 0; place < 4; ++place) {
    std::vector<float> values = {1, 2, 3, 4};
    values[place] = std::numeric_limits<float>::quiet_NaN();
    const Tensor x = Tensor::from<float>(*device, {1, 2, 2, 1}, values);
    CHECK(std::isnan(ops::max_pool2d(tape, x).item()));
    CHECK(gradient_of(values)[place] == 1);
  }
}

TEST_CASE("max_pool2d: error texts", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const auto pool = [&](const Shape& x, std::int64_t window, std::int64_t stride) {
    return ops::max_pool2d(tape, Tensor::zeros(*device, x), window, stride);
  };
  CHECK_THROWS_WITH(pool({4, 3}, 2, 2), "max_pool2d: input is [4, 3], expected [N, H, W, C]");
  CHECK_THROWS_WITH(pool({1, 4, 1, 3}, 2, 2),
                    "max_pool2d: the window 2x2 is larger than the input [1, 4, 1, 3]");
  CHECK_THROWS_WITH(pool({1, 40, 40, 3}, 17, 2),
                    "max_pool2d: found window 17 and stride 2, expected a window of 1 to 16 and a "
                    "stride of 1 or more");
}

}  // namespace glia::test
