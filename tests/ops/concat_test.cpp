// concat: shares memory instead of copying, forward and backward, also where one of its inputs has
// a second consumer, as the encoder's end of a skip connection has.
#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

namespace {

/// Two producers that write into neighbouring slices of one buffer.
std::vector<Tensor> produce(Tape& tape, const Tensor& a, const Tensor& b) {
  const std::int64_t ca = a.shape().channels(), cb = b.shape().channels();
  const Tensor buffer = Tensor::empty(tape.device(), a.shape().with_channels(ca + cb), a.dtype());
  return {ops::scale(tape, a, 1, buffer.channels(0, ca)),
          ops::scale(tape, b, 1, buffer.channels(ca, cb))};
}

enum class Second { none, before, after };  // consumer of the first part, and when it is recorded

Case concat_case(std::int64_t ca, std::int64_t cb, Second second) {
  const Shape a{2, 3, 5, ca}, b{2, 3, 5, cb};
  return {.op = second == Second::none ? "concat" : "composite",
          .name = fmt::format("{} and {} channels, second consumer {}", ca, cb,
                              static_cast<int>(second)),
          .inputs = {{.shape = a, .length = 3}, {.shape = b, .length = 3}},
          .build =
              [second](Tape& tape, std::span<const Tensor> in, const Tensor&) {
                const std::vector<Tensor> parts = produce(tape, in[0], in[1]);
                if (second == Second::none) return ops::concat(tape, parts);
                Tensor square, joined;
                if (second == Second::before) square = ops::mul(tape, parts[0], parts[0]);
                joined = ops::concat(tape, parts);
                if (second == Second::after) square = ops::mul(tape, parts[0], parts[0]);
                return ops::add(tape, ops::sum(tape, ops::mul(tape, joined, joined)),
                                ops::sum(tape, square));
              },
          .length = static_cast<double>(a.numel() + b.numel())};
}

}  // namespace

TEST_CASE("concat: values and gradients", "[ops]") {
  std::vector<Case> cases;
  for (Second second : {Second::none, Second::before, Second::after})
    for (auto [ca, cb] : {std::pair{1, 1}, {3, 5}, {16, 16}, {17, 3}})
      cases.push_back(concat_case(ca, cb, second));
  check_cases(cases);
}

TEST_CASE("concat: a part that wants no gradient", "[ops]") {
  for (std::size_t constant : {0, 1})
    for (Second second : {Second::none, Second::before, Second::after}) {
      Case test = concat_case(3, 5, second);
      test.inputs[constant].grad = false;
      check_cases({&test, 1});
    }
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
