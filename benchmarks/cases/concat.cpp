// concat: shares memory instead of copying, forward and backward, also where one of its inputs has
// a second consumer, as the encoder's end of a skip connection has.
#include "benchmarks/cases/operation.h"
#include "engine/ops/ops.h"

namespace glia::cases {

namespace {

/// Two producers that write into neighbouring slices of one buffer.
std::vector<Tensor> produce(Tape& tape, const Tensor& a, const Tensor& b) {
  const std::int64_t ca = a.shape().channels(), cb = b.shape().channels();
  const Tensor buffer = Tensor::empty(tape.device(), a.shape().with_channels(ca + cb), a.dtype());
  return {ops::scale(tape, a, 1, buffer.channels(0, ca)),
          ops::scale(tape, b, 1, buffer.channels(ca, cb))};
}

enum class Second { none, before, after };  // consumer of the first part, and when it is recorded
constexpr Second kSeconds[] = {Second::none, Second::before, Second::after};

Case concat_case(std::int64_t ca, std::int64_t cb, Second second) {
  const Shape a{2, 3, 5, ca}, b{2, 3, 5, cb};
  return {.op = second == Second::none ? "concat" : "composite",
          .text = fmt::format("{} and {} channels, second consumer {}", ca, cb,
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

std::vector<Case> concat_channels() {
  std::vector<Case> cases;
  for (Second second : kSeconds)
    for (auto [ca, cb] : {std::pair{1, 1}, {3, 5}, {16, 16}, {17, 3}})
      cases.push_back(concat_case(ca, cb, second));
  return cases;
}

std::vector<Case> concat_constant() {
  std::vector<Case> cases;
  for (std::size_t constant : {0, 1})
    for (Second second : kSeconds)
      cases.emplace_back(concat_case(3, 5, second)).inputs[constant].grad = false;
  return cases;
}

}  // namespace

Operation concat_operation() {
  return {
      .name = "concat",
      .groups = {{"channels", "of all widths, one part with a second consumer", concat_channels},
                 {"constant", "a part that wants no gradient", concat_constant}}};
}

}  // namespace glia::cases
