#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

TEST_CASE("bce_with_logits", "[ops]") {
  check_cases(cases::find("bce_with_logits.targets"));
}

TEST_CASE("bce_with_logits: extreme logits", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const float logits[] = {-1000, 1000, -1000, 1000}, targets[] = {0, 1, 1, 0};
  const Tensor z = Tensor::from<float>(*device, {1, 2, 2, 1}, logits);
  z.set_wants_grad(true);
  const Tensor loss =
      ops::bce_with_logits(tape, z, Tensor::from<float>(*device, {1, 2, 2, 1}, targets));
  CHECK(loss.item() == Approx(500));
  tape.backward(loss);
  const float expected[] = {0, 0, -0.25f, 0.25f};
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(z.grad().to_vector<float>()[i] == Approx(expected[i]).margin(1e-30));
}

TEST_CASE("bce_with_logits: error texts", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const Tensor slice = Tensor::zeros(*device, {1, 2, 3, 4}).channels(1, 1);
  CHECK_THROWS_WITH(ops::bce_with_logits(tape, slice, slice),
                    "bce_with_logits_forward: found a channel slice, expected dense tensors");
  CHECK_THROWS_WITH(
      ops::bce_with_logits(tape, Tensor::zeros(*device, {1, 2, 3, 1}),
                           Tensor::zeros(*device, {1, 2, 3, 2})),
      "bce_with_logits: the operands are [1, 2, 3, 1] and [1, 2, 3, 2], expected the same shape");
}

}  // namespace glia::test
