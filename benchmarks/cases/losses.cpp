// iou_loss and dice_loss over the batch and an image: ordinary masks, empty ones, and logits at
// which the sigmoid saturates; bce_with_logits; and the counts of an evaluation.
#include "benchmarks/cases/operation.h"
#include "engine/ops/ops.h"

namespace glia::cases {

namespace {

using LossFunction = ops::RegionLoss (*)(Tape&, const Tensor&, const Tensor&, Region, double,
                                         const ops::WholeBatch&);

struct Loss {
  const char* name;
  LossFunction call;
};
constexpr Loss kIou{"iou_loss", ops::iou_loss}, kDice{"dice_loss", ops::dice_loss};
constexpr Region kRegions[] = {Region::batch, Region::image};

Case region_loss_case(const Loss& loss, const Shape& shape, Region region, double smooth,
                      double range) {
  return {
      .op = loss.name,
      .text = fmt::format("{}, {}, smooth {}, logits in +-{}", shape.str(),
                          region == Region::batch ? "batch" : "image", smooth, range),
      .inputs = {{.shape = shape, .low = -range, .high = range, .image = false, .min_nonzero = 0.3},
                 {.shape = shape, .fill = Fill::binary, .grad = false, .image = false}},
      .build = [call = loss.call, region, smooth](
                   Tape& tape, std::span<const Tensor> in,
                   const Tensor&) { return call(tape, in[0], in[1], region, smooth, {}).loss; },
      .length = static_cast<double>(shape.numel()),
      .floor = 1,
      .samples = range > 10 ? 200u : 16u};  // few logits in a wide range have large gradients
}

std::vector<Case> region_loss_masks(const Loss& loss) {
  std::vector<Case> cases;
  for (Region region : kRegions) {
    cases.push_back(region_loss_case(loss, {1, 1, 1, 1}, region, 1, 2));
    cases.push_back(region_loss_case(loss, {3, 4, 5, 1}, region, 1, 3));
    cases.push_back(region_loss_case(loss, {2, 3, 5, 3}, region, 0.1, 3));
    cases.push_back(region_loss_case(loss, {2, 97, 89, 1}, region, 1, 3));
    cases.push_back(region_loss_case(loss, {3, 8, 7, 1}, region, 1, 20));

    Case soft = region_loss_case(loss, {2, 4, 5, 1}, region, 1, 3);
    soft.text += ", soft targets";
    soft.inputs[1] = {.shape = {2, 4, 5, 1}, .low = 0, .high = 1, .grad = false, .image = false};
    cases.push_back(soft);

    Case empty = region_loss_case(loss, {2, 4, 5, 1}, region, 1, 3);
    empty.text += ", empty masks";
    empty.inputs[1].values = Values(40, 0);
    cases.push_back(empty);

    Case full = region_loss_case(loss, {2, 4, 5, 1}, region, 1, 3);
    full.text += ", full masks";
    full.inputs[1].values = Values(40, 1);
    cases.push_back(full);

    Case one_empty = region_loss_case(loss, {2, 2, 3, 1}, region, 1, 3);
    one_empty.text += ", one image of two without a mask";
    one_empty.inputs[1].values = {0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0};
    cases.push_back(one_empty);
  }
  return cases;
}

std::vector<Case> region_loss_sums(const Loss& loss) {
  std::vector<Case> cases;
  for (Region region : kRegions) {
    Case& test = cases.emplace_back(region_loss_case(loss, {3, 7, 5, 1}, region, 1, 5));
    test.text += ", sums";
    test.inputs[0].grad = false;
    test.build = [call = loss.call, region](Tape& tape, std::span<const Tensor> in, const Tensor&) {
      return call(tape, in[0], in[1], region, 1, {}).sums;
    };
  }
  return cases;
}

/// The loss of sums that are known, as where the shards of a batch are computed apart.
Case whole_case(const Loss& loss, const Shape& shape, double smooth) {
  Case test = region_loss_case(loss, shape, Region::batch, smooth, 3);
  test.text += ", of its sums";
  test.build = [call = loss.call, smooth](Tape& tape, std::span<const Tensor> in, const Tensor&) {
    const auto known = [](Tape&, const Tensor& sums) { return sums; };
    return call(tape, in[0], in[1], Region::batch, smooth, known).loss;
  };
  return test;
}

std::vector<Case> region_loss_whole(const Loss& loss) {
  return {whole_case(loss, {3, 7, 5, 1}, 1), whole_case(loss, {3, 7, 5, 1}, 0.1)};
}

std::vector<Case> region_loss_at(const Loss& loss, const Dimensions& d) {
  std::vector<Case> cases{region_loss_case(loss, d.shape, Region::batch, 1, 3),
                          region_loss_case(loss, d.shape, Region::image, 1, 3),
                          whole_case(loss, d.shape, 1)};
  cases[0].name = "batch";
  cases[1].name = "image";
  cases[2].name = "whole";
  return cases;
}

Case bce_case(const Shape& shape, double range, Fill target) {
  return {
      .op = "bce_with_logits",
      .text = fmt::format("{}, logits in +-{}, {} targets", shape.str(), range,
                          target == Fill::binary ? "hard" : "soft"),
      .inputs =
          {{.shape = shape, .low = -range, .high = range, .image = false, .min_nonzero = 0.3},
           {.shape = shape, .fill = target, .low = 0, .high = 1, .grad = false, .image = false}},
      .build = [](Tape& tape, std::span<const Tensor> in,
                  const Tensor&) { return ops::bce_with_logits(tape, in[0], in[1]); },
      .length = static_cast<double>(shape.numel())};
}

std::vector<Case> bce_targets() {
  std::vector<Case> cases;
  for (const Shape& shape :
       {Shape{1, 1, 1, 1}, Shape{2, 3, 5, 3}, Shape{3, 8, 7, 1}, Shape{2, 97, 89, 1}})
    for (double range : {3.0, 20.0})
      for (Fill target : {Fill::binary, Fill::uniform})
        cases.push_back(bce_case(shape, range, target));
  return cases;
}

Case counts_case(const Shape& x, double t) {
  return {.op = "confusion_counts",
          .text = fmt::format("{} at {}", x.str(), t),
          .inputs = {{.shape = x, .low = 0, .high = 1, .grad = false, .image = false},
                     {.shape = x, .fill = Fill::binary, .grad = false, .image = false}},
          .build = [t](Tape& tape, std::span<const Tensor> in, const Tensor&) {
            return ops::confusion_counts(tape, in[0], in[1], t);
          }};
}

std::vector<Case> counts_shapes() {
  std::vector<Case> cases;
  for (const Shape& x : {Shape{1, 1, 1, 1}, Shape{2, 3, 5, 3}, Shape{3, 8, 7, 1},
                         Shape{1, 4, 3, 16}, Shape{3, 65, 67, 1}})
    for (double t : {0.5, 0.25}) cases.push_back(counts_case(x, t));
  return cases;
}

}  // namespace

Operation iou_loss_operation() {
  return {.name = "iou_loss",
          .at = [](const Dimensions& d) { return region_loss_at(kIou, d); },
          .groups = {{"masks", "masks, soft, empty and full ones, and saturated logits",
                      [] { return region_loss_masks(kIou); }},
                     {"sums", "the sums of the loss", [] { return region_loss_sums(kIou); }},
                     {"whole", "of given sums", [] { return region_loss_whole(kIou); }}}};
}

Operation dice_loss_operation() {
  return {.name = "dice_loss",
          .at = [](const Dimensions& d) { return region_loss_at(kDice, d); },
          .groups = {{"masks", "masks, soft, empty and full ones, and saturated logits",
                      [] { return region_loss_masks(kDice); }},
                     {"sums", "the sums of the loss", [] { return region_loss_sums(kDice); }},
                     {"whole", "of given sums", [] { return region_loss_whole(kDice); }}}};
}

Operation bce_with_logits_operation() {
  return {.name = "bce_with_logits",
          .at = [](const Dimensions& d) { return std::vector{bce_case(d.shape, 3, Fill::binary)}; },
          .groups = {{"targets", "hard and soft targets, and saturated logits", bce_targets}}};
}

Operation confusion_counts_operation() {
  return {.name = "confusion_counts",
          .at = [](const Dimensions& d) { return std::vector{counts_case(d.shape, 0.5)}; },
          .groups = {{"shapes", "images of one and more channels", counts_shapes}}};
}

}  // namespace glia::cases
