// batch_norm_relu and deferred_relu, and everything that reads what they defer: materialise and
// materialise_pool, conv2d, conv_transpose2d, max_pool2d, concat; and conv2d_moments.
#include <cmath>
#include <limits>

#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"
#include "benchmarks/judge/tolerance.h"

namespace glia::test {

namespace {

/// Winograd's algorithm amplifies the errors of what it reads.
std::vector<Case> with_conditions(std::vector<Case> cases) {
  for (Case& test : cases)
    if (test.conv == ConvMethod::winograd) test.condition = kWinogradCondition;
  return cases;
}

void check_deferred(const std::vector<Case>& cases) {
  check_cases_with_maps(with_conditions(cases));
}

}  // namespace

TEST_CASE("batch_norm_relu: materialised", "[ops]") {
  check_cases_with_written_maps(cases::find("batch_norm_relu.materialised"));
}

TEST_CASE("batch_norm_relu: gradients of only the image or only the parameters", "[ops]") {
  check_cases_with_written_maps(cases::find("batch_norm_relu.operands"));
}

TEST_CASE("materialise_pool: both of its results, and images of odd size", "[ops]") {
  check_cases_with_written_maps(cases::find("batch_norm_relu.pooled"));
}

TEST_CASE("max_pool2d reads deferred tensors", "[ops]") {
  check_deferred(cases::find("batch_norm_relu.max_pool2d"));
}

TEST_CASE("conv2d reads deferred tensors", "[ops]") {
  check_deferred(cases::find("batch_norm_relu.conv2d"));
}

TEST_CASE("conv2d: a window of one pixel and strides read deferred tensors", "[ops]") {
  check_deferred(cases::find("batch_norm_relu.conv2d-windows"));
}

TEST_CASE("conv_transpose2d reads deferred tensors", "[ops]") {
  check_deferred(cases::find("batch_norm_relu.conv_transpose2d"));
}

TEST_CASE("concat joins deferred tensors with others", "[ops]") {
  check_deferred(cases::find("batch_norm_relu.concat"));
}

TEST_CASE("conv2d_moments: a norm that takes them normalises the same", "[ops]") {
  check_cases_with_moments(with_conditions(cases::find("batch_norm_relu.moments")));
}

TEST_CASE("batch_norm_relu: of ranks, whose sums are added up in between", "[ops]") {
  check_cases_with_written_maps(cases::find("batch_norm_relu.ranks"));
}

TEST_CASE("deferred_relu", "[ops]") {
  check_cases_with_written_maps(cases::find("relu.deferred"));
}

TEST_CASE("batch_norm_relu: a NaN stays one", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device, Tape::Mode::off);
  const float values[] = {1, std::numeric_limits<float>::quiet_NaN(), -2, 3};
  const Tensor x = Tensor::from<float>(*device, {1, 2, 2, 1}, values);
  const auto y = ops::materialise(tape, ops::deferred_relu(tape, x)).to_vector<float>();
  CHECK(y[0] == 1);
  CHECK(std::isnan(y[1]));
  CHECK(y[2] == 0);
}

TEST_CASE("deferred tensors: error texts", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device, Tape::Mode::off);
  const Tensor x = Tensor::zeros(*device, {1, 2, 2, 3});
  const Tensor y = ops::deferred_relu(tape, x);
  CHECK_THROWS_WITH(ops::sigmoid(tape, y), "sigmoid: input is deferred, materialise it first");
  CHECK_THROWS_WITH(ops::add(tape, x, y), "add: second operand is deferred, materialise it first");
  CHECK_THROWS_WITH(y.to_vector<float>(), "tensor: [1, 2, 2, 3] is deferred, materialise it first");
  CHECK_THROWS_WITH(
      y.deferred(Tensor::zeros(*device, {3, 3})),
      "tensor: found a map [3, 3] for [1, 2, 2, 3], expected [3, 3] for a tensor that "
      "has none");
  CHECK_THROWS_WITH(
      x.deferred(Tensor::zeros(*device, {3, 2})),
      "tensor: found a map [3, 2] for [1, 2, 2, 3], expected [3, 3] for a tensor that "
      "has none");

  Tape off(*device, Tape::Mode::off);
  const auto row = [&](float a, float b) {
    const Tensor t = Tensor::empty(*device, {2});
    t.copy_from(std::vector<float>{a, b});
    return t;
  };
  // s = gamma / sqrt(var + epsilon), t = beta - mean s, f = 0.
  CHECK(ops::batch_norm_relu_map(
            off, row(3, 4), row(1, 2),
            {.running_mean = row(2, -1), .running_var = row(0.75f, 3.75f), .epsilon = 0.25})
            .to_vector<float>() == std::vector<float>{3, 2, -5, 4, 0, 0});

  KernelTable without = device->kernels();
  without.maps = Maps::none;
  without.gives_moments = false;
  without.name = "plain";
  Device plain("plain", without,
               std::make_shared<CachingAllocator>(std::make_unique<SystemAllocator>()), 1);
  Tape other(plain, Tape::Mode::off);
  const Tensor z = ops::deferred_relu(other, Tensor::zeros(plain, {1, 2, 2, 3}));
  CHECK_THROWS_WITH(ops::max_pool2d(other, z),
                    "unsupported: max_pool2d: input is deferred, and the backend 'plain' reads no "
                    "maps");
  CHECK_THROWS_WITH(ops::conv2d_moments(other, Tensor::zeros(plain, {1, 2, 2, 3}),
                                        Tensor::zeros(plain, {4, 1, 1, 3}), {}, {}),
                    "unsupported: conv2d: the backend 'plain' gives no moments");
}

}  // namespace glia::test
