// threshold and confusion_counts: the two operations without a gradient.
#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

namespace {

const Shape kShapes[] = {{1, 1, 1, 1}, {2, 3, 5, 3}, {3, 8, 7, 1}, {1, 4, 3, 16}, {3, 65, 67, 1}};

}  // namespace

TEST_CASE("threshold", "[ops]") {
  std::vector<Case> cases;
  for (const Shape& x : kShapes)
    for (double t : {0.5, -0.25, 2.0})
      cases.push_back({.op = "threshold",
                       .name = fmt::format("{} at {}", x.str(), t),
                       .inputs = {{.shape = x, .grad = false}},
                       .build = [t](Tape& tape, std::span<const Tensor> in, const Tensor&) {
                         return ops::threshold(tape, in[0], t);
                       }});
  check_cases(cases);
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
  std::vector<Case> cases;
  for (const Shape& x : kShapes)
    for (double t : {0.5, 0.25})
      cases.push_back(
          {.op = "confusion_counts",
           .name = fmt::format("{} at {}", x.str(), t),
           .inputs = {{.shape = x, .low = 0, .high = 1, .grad = false, .image = false},
                      {.shape = x, .fill = Fill::binary, .grad = false, .image = false}},
           .build = [t](Tape& tape, std::span<const Tensor> in, const Tensor&) {
             return ops::confusion_counts(tape, in[0], in[1], t);
           }});
  check_cases(cases);
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
