#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

TEST_CASE("bce_with_logits", "[ops]") {
  std::vector<Case> cases;
  for (const Shape& shape :
       {Shape{1, 1, 1, 1}, Shape{2, 3, 5, 3}, Shape{3, 8, 7, 1}, Shape{2, 97, 89, 1}})
    for (double range : {3.0, 20.0})
      for (Fill target : {Fill::binary, Fill::uniform})
        cases.push_back(
            {.op = "bce_with_logits",
             .name = fmt::format("{}, logits in +-{}, {} targets", shape.str(), range,
                                 target == Fill::binary ? "hard" : "soft"),
             .inputs = {{.shape = shape,
                         .low = -range,
                         .high = range,
                         .image = false,
                         .min_nonzero = 0.3},
                        {.shape = shape,
                         .fill = target,
                         .low = 0,
                         .high = 1,
                         .grad = false,
                         .image = false}},
             .build = [](Tape& tape, std::span<const Tensor> in,
                         const Tensor&) { return ops::bce_with_logits(tape, in[0], in[1]); },
             .length = static_cast<double>(shape.numel())});
  check_cases(cases);
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
