// threshold and confusion_counts: the two operations without a gradient.
#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

TEST_CASE("threshold", "[ops]") {
  check_cases(cases::find("threshold.shapes"));
}

TEST_CASE("threshold: equality is 0, and nothing is recorded", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const float values[] = {0.5f, std::nextafter(0.5f, 1.0f), std::nextafter(0.5f, 0.0f)};
  const Tensor x = Tensor::from<float>(*device, {3}, values);
  x.set_wants_grad(true);
  const Tensor mask = ops::threshold(tape, x, 0.5);
  CHECK(mask.to_vector<float>() == std::vector<float>{0, 1, 0});
  CHECK(tape.size() == 0);
  CHECK_FALSE(mask.wants_grad());
}

TEST_CASE("confusion_counts", "[ops]") {
  check_cases(cases::find("confusion_counts.shapes"));
}

TEST_CASE("confusion_counts: known values", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const float prediction[] = {0.9f, 0.5f, 0.6f, 0.1f, 1, 1, 1, 1},
              target[] = {1, 1, 0, 0, 0, 0, 0, 1};
  const Tensor counts =
      ops::confusion_counts(tape, Tensor::from<float>(*device, {2, 2, 2, 1}, prediction),
                            Tensor::from<float>(*device, {2, 2, 2, 1}, target));
  CHECK(counts.shape() == Shape{2, 4});
  CHECK(counts.to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 1, 1, 1, 1, 3, 0, 0});
}

TEST_CASE("threshold and confusion_counts: error texts", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const Tensor a = Tensor::zeros(*device, {1, 2, 3, 1}), b = Tensor::zeros(*device, {1, 3, 2, 1});
  CHECK_THROWS_WITH(ops::threshold(tape, {}), "threshold: input is not given");
  const Tensor slice = Tensor::zeros(*device, {1, 2, 3, 4}).channels(1, 1);
  CHECK_THROWS_WITH(ops::confusion_counts(tape, slice, slice),
                    "confusion_counts: found a channel slice, expected dense tensors");
  CHECK_THROWS_WITH(ops::confusion_counts(tape, a, b),
                    "confusion_counts: the operands are [1, 2, 3, 1] and [1, 3, 2, 1], expected "
                    "the same shape");
}

}  // namespace glia::test
