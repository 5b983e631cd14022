// iou_loss and dice_loss over the batch and an image: ordinary masks, empty ones, and logits at
// which the sigmoid saturates.
#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

namespace {

using LossFunction = ops::RegionLoss (*)(Tape&, const Tensor&, const Tensor&, Region, double,
                                         const ops::WholeBatch&);

struct Loss {
  const char* name;
  LossFunction call;
};
constexpr Loss kLosses[] = {{"iou_loss", ops::iou_loss}, {"dice_loss", ops::dice_loss}};

}  // namespace

TEST_CASE("iou_loss and dice_loss", "[ops]") {
  for (const char* group : {"iou_loss.masks", "dice_loss.masks"}) check_cases(cases::find(group));
}

TEST_CASE("iou_loss and dice_loss: the sums behind them", "[ops]") {
  for (const char* group : {"iou_loss.sums", "dice_loss.sums"}) check_cases(cases::find(group));
}

TEST_CASE("iou_loss and dice_loss: of a part of a batch whose sums are known", "[ops]") {
  for (const char* group : {"iou_loss.whole", "dice_loss.whole"}) check_cases(cases::find(group));
  const auto device = make_cpu_device(1);
  const float logits[] = {-1, 2, 0.5f, -3}, target[] = {0, 1, 1, 0};
  for (const Loss& loss : kLosses) {
    // The gradients of two parts are those of the whole.
    const auto gradient = [&](std::int64_t first, std::int64_t count,
                              const ops::WholeBatch& whole) {
      Tape tape(*device);
      const auto n = static_cast<std::size_t>(count), from = static_cast<std::size_t>(first);
      const Tensor z =
          Tensor::from<float>(*device, {count, 1, 1, 1}, std::span(logits).subspan(from, n));
      z.set_wants_grad(true);
      const Tensor t =
          Tensor::from<float>(*device, {count, 1, 1, 1}, std::span(target).subspan(from, n));
      const ops::RegionLoss value = loss.call(tape, z, t, Region::batch, 1, whole);
      tape.backward(value.loss);
      return std::pair(z.grad().to_vector<float>(), value.sums);
    };
    const auto [all, sums] = gradient(0, 4, {});
    const auto known = [&, s = sums](Tape&, const Tensor&) { return s; };
    const auto first = gradient(0, 2, known).first, second = gradient(2, 2, known).first;
    CHECK(std::vector(all.begin(), all.begin() + 2) == first);
    CHECK(std::vector(all.begin() + 2, all.end()) == second);
    CHECK(gradient(0, 2, {}).first != first);  // a loss of its own sums has another
  }
}

TEST_CASE("iou_loss and dice_loss: extreme logits stay finite", "[ops]") {
  const auto device = make_cpu_device(1);
  const float logits[] = {-1000, 1000, -100, 100}, right[] = {0, 1, 0, 1}, wrong[] = {1, 0, 1, 0};
  for (const Loss& loss : kLosses) {
    Tape tape(*device);
    const Tensor z = Tensor::from<float>(*device, {1, 2, 2, 1}, logits);
    const auto value = [&](std::span<const float> target) {
      return loss
          .call(tape, z, Tensor::from<float>(*device, {1, 2, 2, 1}, target), Region::batch, 1, {})
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
    CHECK_THROWS_WITH(loss.call(tape, slice, slice, Region::batch, 1, {}),
                      op + "_forward: found a channel slice, expected dense tensors");
    const auto call = [&](const Shape& z, const Shape& t, double smooth) {
      return loss.call(tape, zeros(z), zeros(t), Region::batch, smooth, {});
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
