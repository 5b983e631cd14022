// The CPU kernels, which table.cpp puts into the kernel table, and the macro that picks the
// instruction set when one is called.
#pragma once

#include "kernels/api/table.h"

namespace glia::cpu {

void conv2d_forward(KernelContext&, const Conv2dForward&);
void conv2d_dgrad(KernelContext&, const Conv2dDgrad&);
void conv2d_wgrad(KernelContext&, const Conv2dWgrad&);
void conv_transpose2d_forward(KernelContext&, const ConvTranspose2dForward&);
void conv_transpose2d_dgrad(KernelContext&, const ConvTranspose2dDgrad&);
void conv_transpose2d_wgrad(KernelContext&, const ConvTranspose2dWgrad&);

void batch_norm_forward_train(KernelContext&, const BatchNormForwardTrain&);
void batch_norm_forward_eval(KernelContext&, const BatchNormForwardEval&);
void batch_norm_backward_train(KernelContext&, const BatchNormBackwardTrain&);
void batch_norm_backward_eval(KernelContext&, const BatchNormBackwardEval&);
void group_norm_forward(KernelContext&, const GroupNormForward&);
void group_norm_backward(KernelContext&, const GroupNormBackward&);

void channel_moments(KernelContext&, const ChannelMoments&);
void batch_norm_relu_map_train(KernelContext&, const BatchNormReluMapTrain&);
void batch_norm_relu_map_eval(KernelContext&, const BatchNormReluMapEval&);
void batch_norm_relu_backward_train(KernelContext&, const BatchNormReluBackwardTrain&);
void batch_norm_relu_backward_eval(KernelContext&, const BatchNormReluBackwardEval&);
void materialise(KernelContext&, const Materialise&);

void relu_forward(KernelContext&, const ReluForward&);
void relu_backward(KernelContext&, const ReluBackward&);
void sigmoid_forward(KernelContext&, const SigmoidForward&);
void sigmoid_backward(KernelContext&, const SigmoidBackward&);
void dropout(KernelContext&, const Dropout&);
void add(KernelContext&, const Add&);
void mul(KernelContext&, const Mul&);
void scale(KernelContext&, const Scale&);
void fill(KernelContext&, const Fill&);
void sum(KernelContext&, const Sum&);
void threshold(KernelContext&, const Threshold&);

void max_pool2d_forward(KernelContext&, const MaxPool2dForward&);
void max_pool2d_backward(KernelContext&, const MaxPool2dBackward&);
void upsample_nearest2d_forward(KernelContext&, const UpsampleNearest2dForward&);
void upsample_nearest2d_backward(KernelContext&, const UpsampleNearest2dBackward&);

void iou_loss_forward(KernelContext&, const IouLossForward&);
void iou_loss_backward(KernelContext&, const IouLossBackward&);
void dice_loss_forward(KernelContext&, const DiceLossForward&);
void dice_loss_backward(KernelContext&, const DiceLossBackward&);
void bce_with_logits_forward(KernelContext&, const BceWithLogitsForward&);
void bce_with_logits_backward(KernelContext&, const BceWithLogitsBackward&);
void confusion_counts(KernelContext&, const ConfusionCounts&);

void adam_step(KernelContext&, const AdamStep&);
void sgd_step(KernelContext&, const SgdStep&);
void rmsprop_step(KernelContext&, const RmspropStep&);

}  // namespace glia::cpu

/// Defines kernel `name` as a call of the variant for the best instruction set of this machine.
#define GLIA_DISPATCH(name, Args)                       \
  HWY_EXPORT(name);                                     \
  void name(KernelContext& context, const Args& args) { \
    HWY_DYNAMIC_DISPATCH(name)(context, args);          \
  }
