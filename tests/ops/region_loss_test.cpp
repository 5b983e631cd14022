// iou_loss and dice_loss over the batch and an image: ordinary masks, empty ones, and logits at
// which the sigmoid saturates.
#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

namespace {

using LossFunction = ops::RegionLoss (*)(Tape&, const Tensor&, const Tensor&, Region, double);

struct Loss {
  const char* name;
  LossFunction call;
};
constexpr Loss kLosses[] = {{"iou_loss", ops::iou_loss}, {"dice_loss", ops::dice_loss}};

Case loss_case(const Loss& loss, const Shape& shape, Region region, double smooth, double range) {
  return {
      .op = loss.name,
      .name = fmt::format("{}, {}, smooth {}, logits in +-{}", shape.str(),
                          region == Region::batch ? "batch" : "image", smooth, range),
      .inputs = {{.shape = shape, .low = -range, .high = range, .image = false, .min_nonzero = 0.3},
                 {.shape = shape, .fill = Fill::binary, .grad = false, .image = false}},
      .build = [call = loss.call, region, smooth](
                   Tape& tape, std::span<const Tensor> in,
                   const Tensor&) { return call(tape, in[0], in[1], region, smooth).loss; },
      .length = static_cast<double>(shape.numel()),
      .floor = 1,
      .samples = range > 10 ? 200u : 16u};  // few logits in a wide range have large gradients
}

}  // namespace

TEST_CASE("iou_loss and dice_loss", "[ops]") {
  std::vector<Case> cases;
  for (const Loss& loss : kLosses)
    for (Region region : {Region::batch, Region::image}) {
      cases.push_back(loss_case(loss, {1, 1, 1, 1}, region, 1, 2));
      cases.push_back(loss_case(loss, {3, 4, 5, 1}, region, 1, 3));
      cases.push_back(loss_case(loss, {2, 3, 5, 3}, region, 0.1, 3));
      cases.push_back(loss_case(loss, {2, 97, 89, 1}, region, 1, 3));
      cases.push_back(loss_case(loss, {3, 8, 7, 1}, region, 1, 20));

      Case soft = loss_case(loss, {2, 4, 5, 1}, region, 1, 3);
      soft.name += ", soft targets";
      soft.inputs[1] = {.shape = {2, 4, 5, 1}, .low = 0, .high = 1, .grad = false, .image = false};
      cases.push_back(soft);

      Case empty = loss_case(loss, {2, 4, 5, 1}, region, 1, 3);
      empty.name += ", empty masks";
      empty.inputs[1].values = Values(40, 0);
      cases.push_back(empty);

      Case full = loss_case(loss, {2, 4, 5, 1}, region, 1, 3);
      full.name += ", full masks";
      full.inputs[1].values = Values(40, 1);
      cases.push_back(full);

      Case one_empty = loss_case(loss, {2, 2, 3, 1}, region, 1, 3);
      one_empty.name += ", one image of two without a mask";
      one_empty.inputs[1].values = {0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0};
      cases.push_back(one_empty);
    }
  check_cases(cases);
}

TEST_CASE("iou_loss and dice_loss: the sums behind them", "[ops]") {
  std::vector<Case> cases;
  for (const Loss& loss : kLosses)
    for (Region region : {Region::batch, Region::image}) {
      Case test = loss_case(loss, {3, 7, 5, 1}, region, 1, 5);
      test.name += ", sums";
      test.inputs[0].grad = false;
      test.build = [call = loss.call, region](Tape& tape, std::span<const Tensor> in,
                                              const Tensor&) {
        return call(tape, in[0], in[1], region, 1).sums;
      };
      cases.push_back(test);
    }
  check_cases(cases);
}

TEST_CASE("iou_loss and dice_loss: extreme logits stay finite", "[ops]") {
  const auto device = make_cpu_device(1);
  const float logits[] = {-1000, 1000, -100, 100}, right[] = {0, 1, 0, 1}, wrong[] = {1, 0, 1, 0};
  for (const Loss& loss : kLosses) {
    Tape tape(*device);
    const Tensor z = Tensor::from<float>(*device, {1, 2, 2, 1}, logits);
    const auto value = [&](std::span<const float> target) {
      return loss
          .call(tape, z, Tensor::from<float>(*device, {1, 2, 2, 1}, target), Region::batch, 1)
          .loss;
    };
    CHECK(value(right).item() == Approx(0).margin(1e-6));
    // I = 0, U = P + T = 4, smooth = 1.
    CHECK(value(wrong).item() == Approx(loss.call == kLosses[0].call ? std::log(5.0) : 0.8));
    z.set_wants_grad(true);
    tape.backward(value(wrong));
    for (float g : z.grad().to_vector<float>()) CHECK(std::isfinite(g));
  }
}

TEST_CASE("iou_loss and dice_loss: error texts", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const auto zeros = [&](const Shape& shape) { return Tensor::zeros(*device, shape); };
  const Tensor slice = zeros({1, 2, 3, 4}).channels(1, 1);
  for (const Loss& loss : kLosses) {
    const std::string op = loss.name;
    CHECK_THROWS_WITH(loss.call(tape, slice, slice, Region::batch, 1),
                      op + "_forward: found a channel slice, expected dense tensors");
    const auto call = [&](const Shape& z, const Shape& t, double smooth) {
      return loss.call(tape, zeros(z), zeros(t), Region::batch, smooth);
    };
    CHECK_THROWS_WITH(call({4}, {4}, 1), op + ": input is [4], expected non-empty [N, H, W, C]");
    CHECK_THROWS_WITH(
        call({1, 2, 3, 1}, {1, 3, 2, 1}, 1),
        op + ": the operands are [1, 2, 3, 1] and [1, 3, 2, 1], expected the same shape");
    CHECK_THROWS_WITH(call({1, 2, 3, 1}, {1, 2, 3, 1}, 0),
                      op + ": smooth is 0, expected more than 0 (an empty image has no ratio)");
  }
}

}  // namespace glia::test
