// group_norm from one group (layer norm) to one a channel (instance norm).
#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

namespace {

Case norm_case(const Shape& x, std::int64_t groups, double centre = 0, double spread = 1) {
  const std::int64_t c = x.channels();
  const auto rows = static_cast<double>(x.numel() / c);
  const double group = static_cast<double>(x.numel() / (x[0] * groups));
  return {.op = "group_norm",
          .name = fmt::format("x {} in {} +- {}, {} groups", x.str(), centre, spread, groups),
          .inputs = {{.shape = x, .low = centre - spread, .high = centre + spread, .length = group},
                     {.shape = {c}, .low = 0.5, .high = 2, .linear = true, .length = rows},
                     {.shape = {c}, .linear = true, .length = rows}},
          .build =
              [groups](Tape& tape, std::span<const Tensor> in, const Tensor& out) {
                return ops::group_norm(tape, in[0], in[1], in[2], groups, 1e-5, out);
              },
          .length = group,
          .condition = 1 + std::abs(centre) / spread,
          .takes_out = true};
}

}  // namespace

TEST_CASE("group_norm", "[ops]") {
  const Case cases[] = {
      norm_case({1, 2, 2, 1}, 1),    norm_case({2, 3, 5, 6}, 1),
      norm_case({2, 3, 5, 6}, 2),    norm_case({2, 3, 5, 6}, 6),
      norm_case({3, 4, 3, 17}, 1),   norm_case({1, 3, 4, 48}, 8),
      norm_case({2, 31, 30, 16}, 4), norm_case({2, 4, 5, 4}, 2, 1000, 0.5),
  };
  check_cases(cases);
}

TEST_CASE("group_norm: gradients of only the image or only the parameters", "[ops]") {
  for (bool image : {true, false}) {
    Case test = norm_case({2, 4, 5, 6}, 3);
    test.inputs[0].grad = image;
    test.inputs[1].grad = test.inputs[2].grad = !image;
    check_cases({&test, 1});
  }
}

TEST_CASE("group_norm: error texts", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const auto zeros = [&](const Shape& shape) { return Tensor::zeros(*device, shape); };
  const auto norm = [&](std::int64_t gamma, std::int64_t groups, double epsilon = 1e-5) {
    return ops::group_norm(tape, zeros({1, 2, 2, 6}), zeros({gamma}), zeros({6}), groups, epsilon);
  };
  CHECK_THROWS_WITH(norm(5, 2), "group_norm: gamma is [5], expected [6]");
  CHECK_THROWS_WITH(norm(6, 4), "group_norm: found 4 groups for 6 channels, expected a divisor");
  CHECK_THROWS_WITH(norm(6, 0), "group_norm: found 0 groups for 6 channels, expected a divisor");
  CHECK_THROWS_WITH(norm(6, 2, -1), "group_norm: epsilon is -1, expected more than 0");
}

}  // namespace glia::test
