#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

TEST_CASE("upsample_nearest2d", "[ops]") {
  check_cases(cases::find("upsample_nearest2d.factors"));
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
