#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

TEST_CASE("upsample_nearest2d", "[ops]") {
  std::vector<Case> cases;
  for (const Shape& x : {Shape{1, 1, 1, 1}, Shape{2, 3, 5, 3}, Shape{1, 4, 3, 16},
                         Shape{3, 2, 4, 17}, Shape{2, 17, 18, 16}})
    for (std::int64_t factor : {1, 2, 3})
      cases.push_back(
          {.op = "upsample_nearest2d",
           .name = fmt::format("{} times {}", x.str(), factor),
           .inputs = {{.shape = x, .linear = true, .length = static_cast<double>(factor * factor)}},
           .build =
               [factor](Tape& tape, std::span<const Tensor> in, const Tensor& out) {
                 return ops::upsample_nearest2d(tape, in[0], factor, out);
               },
           .takes_out = true});
  check_cases(cases);
}

TEST_CASE("upsample_nearest2d: error texts", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  CHECK_THROWS_WITH(ops::upsample_nearest2d(tape, Tensor::zeros(*device, {4, 3}), 2),
                    "upsample_nearest2d: input is [4, 3], expected non-empty [N, H, W, C]");
  CHECK_THROWS_WITH(ops::upsample_nearest2d(tape, Tensor::zeros(*device, {1, 2, 2, 1}), 0),
                    "upsample_nearest2d: found factor 0, expected 1 to 64");
}

}  // namespace glia::test
