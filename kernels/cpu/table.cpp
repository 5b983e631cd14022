#include "kernels/cpu/table.h"

#include <hwy/highway.h>

#include "kernels/cpu/conv/bf16_unit.h"
#include "kernels/cpu/kernels.h"

namespace glia::cpu {

const KernelTable& table() {
  static constexpr KernelTable kTable = {
      .name = "cpu",
      .dtype = DType::f32,
      .reads_maps = true,
      .conv2d_forward = conv2d_forward,
      .conv2d_dgrad = conv2d_dgrad,
      .conv2d_wgrad = conv2d_wgrad,
      .conv_transpose2d_forward = conv_transpose2d_forward,
      .conv_transpose2d_dgrad = conv_transpose2d_dgrad,
      .conv_transpose2d_wgrad = conv_transpose2d_wgrad,
      .batch_norm_forward_train = batch_norm_forward_train,
      .batch_norm_forward_eval = batch_norm_forward_eval,
      .batch_norm_backward_train = batch_norm_backward_train,
      .batch_norm_backward_eval = batch_norm_backward_eval,
      .group_norm_forward = group_norm_forward,
      .group_norm_backward = group_norm_backward,
      .channel_moments = channel_moments,
      .batch_norm_relu_map_train = batch_norm_relu_map_train,
      .batch_norm_relu_map_eval = batch_norm_relu_map_eval,
      .batch_norm_relu_backward_train = batch_norm_relu_backward_train,
      .batch_norm_relu_backward_eval = batch_norm_relu_backward_eval,
      .materialise = materialise,
      .relu_forward = relu_forward,
      .relu_backward = relu_backward,
      .sigmoid_forward = sigmoid_forward,
      .sigmoid_backward = sigmoid_backward,
      .dropout = dropout,
      .add = add,
      .mul = mul,
      .scale = scale,
      .fill = fill,
      .sum = sum,
      .threshold = threshold,
      .max_pool2d_forward = max_pool2d_forward,
      .max_pool2d_backward = max_pool2d_backward,
      .upsample_nearest2d_forward = upsample_nearest2d_forward,
      .upsample_nearest2d_backward = upsample_nearest2d_backward,
      .iou_loss_forward = iou_loss_forward,
      .iou_loss_backward = iou_loss_backward,
      .dice_loss_forward = dice_loss_forward,
      .dice_loss_backward = dice_loss_backward,
      .bce_with_logits_forward = bce_with_logits_forward,
      .bce_with_logits_backward = bce_with_logits_backward,
      .confusion_counts = confusion_counts,
      .adam_step = adam_step,
      .sgd_step = sgd_step,
      .rmsprop_step = rmsprop_step,
  };
  return kTable;
}

const char* instruction_set() {
  // Highway orders targets from best (lowest bit) to worst.
  const auto usable = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(usable & -usable);
}

bool limit_instruction_set(std::string_view name) {
  const auto usable = hwy::SupportedTargets() & HWY_TARGETS;
  for (auto rest = usable; rest != 0; rest &= rest - 1) {
    const auto target = rest & -rest;
    if (hwy::TargetName(target) != name) continue;
    hwy::DisableTargets(target - 1);  // the better ones
    return true;
  }
  return false;
}

const char* bf16_instruction_set() {
  const Bf16Unit* unit = find_bf16_unit(Bf16Choice::automatic);
  return unit != nullptr ? unit->name : nullptr;
}

}  // namespace glia::cpu
