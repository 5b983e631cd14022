// Every kernel, once: its name, its arguments, its operation (docs/ops/<operation>.md; of a step of
// an optimizer docs/optim.md) and its phase. Whoever needs something for each kernel gives
// GLIA_KERNEL a meaning and includes this file, which takes the meaning away again. GLIA_MAP_KERNEL
// are those that only backends have that make maps (read_map.h); the same as the others where
// nobody says otherwise. A kernel that a backend's file of this kind does not define does not link.
#ifndef GLIA_KERNEL
#error "define GLIA_KERNEL(name, Args, op, phase) before including kernels/api/list.h"
#endif
#ifndef GLIA_MAP_KERNEL
#define GLIA_MAP_KERNEL GLIA_KERNEL
#endif

GLIA_KERNEL(conv2d_forward, Conv2dForward, conv2d, forward)
GLIA_KERNEL(conv2d_dgrad, Conv2dDgrad, conv2d, dgrad)
GLIA_KERNEL(conv2d_wgrad, Conv2dWgrad, conv2d, wgrad)
GLIA_KERNEL(conv_transpose2d_forward, ConvTranspose2dForward, conv_transpose2d, forward)
GLIA_KERNEL(conv_transpose2d_dgrad, ConvTranspose2dDgrad, conv_transpose2d, dgrad)
GLIA_KERNEL(conv_transpose2d_wgrad, ConvTranspose2dWgrad, conv_transpose2d, wgrad)

GLIA_KERNEL(batch_norm_forward_train, BatchNormForwardTrain, batch_norm, forward)
GLIA_KERNEL(batch_norm_forward_eval, BatchNormForwardEval, batch_norm, forward)
GLIA_KERNEL(batch_norm_backward_train, BatchNormBackwardTrain, batch_norm, backward)
GLIA_KERNEL(batch_norm_backward_eval, BatchNormBackwardEval, batch_norm, backward)
GLIA_KERNEL(group_norm_forward, GroupNormForward, group_norm, forward)
GLIA_KERNEL(group_norm_backward, GroupNormBackward, group_norm, backward)

GLIA_MAP_KERNEL(channel_moments, ChannelMoments, batch_norm_relu, forward)
GLIA_MAP_KERNEL(batch_norm_relu_map_train, BatchNormReluMapTrain, batch_norm_relu, forward)
GLIA_MAP_KERNEL(batch_norm_relu_map_eval, BatchNormReluMapEval, batch_norm_relu, forward)
GLIA_MAP_KERNEL(batch_norm_relu_backward_train, BatchNormReluBackwardTrain, batch_norm_relu,
                backward)
GLIA_MAP_KERNEL(merge_moments, MergeMoments, batch_norm_relu, forward)
GLIA_MAP_KERNEL(batch_norm_relu_backward_sums, BatchNormReluBackwardSums, batch_norm_relu, backward)
GLIA_MAP_KERNEL(batch_norm_relu_backward_apply, BatchNormReluBackwardApply, batch_norm_relu,
                backward)
GLIA_MAP_KERNEL(batch_norm_relu_backward_eval, BatchNormReluBackwardEval, batch_norm_relu, backward)
GLIA_MAP_KERNEL(materialise, Materialise, materialise, any)

GLIA_KERNEL(relu_forward, ReluForward, relu, forward)
GLIA_KERNEL(relu_backward, ReluBackward, relu, backward)
GLIA_KERNEL(sigmoid_forward, SigmoidForward, sigmoid, forward)
GLIA_KERNEL(sigmoid_backward, SigmoidBackward, sigmoid, backward)
GLIA_KERNEL(dropout, Dropout, dropout, any)
GLIA_KERNEL(add, Add, add, any)
GLIA_KERNEL(mul, Mul, mul, any)
GLIA_KERNEL(scale, Scale, scale, any)
GLIA_KERNEL(fill, Fill, fill, any)
GLIA_KERNEL(sum, Sum, sum, any)
GLIA_KERNEL(fold, Fold, fold, any)
GLIA_KERNEL(threshold, Threshold, threshold, forward)

GLIA_KERNEL(max_pool2d_forward, MaxPool2dForward, max_pool2d, forward)
GLIA_KERNEL(max_pool2d_backward, MaxPool2dBackward, max_pool2d, backward)
GLIA_KERNEL(upsample_nearest2d_forward, UpsampleNearest2dForward, upsample_nearest2d, forward)
GLIA_KERNEL(upsample_nearest2d_backward, UpsampleNearest2dBackward, upsample_nearest2d, backward)

GLIA_KERNEL(iou_loss_forward, IouLossForward, iou_loss, forward)
GLIA_KERNEL(iou_loss_of_sums, IouLossOfSums, iou_loss, forward)
GLIA_KERNEL(iou_loss_backward, IouLossBackward, iou_loss, backward)
GLIA_KERNEL(dice_loss_forward, DiceLossForward, dice_loss, forward)
GLIA_KERNEL(dice_loss_of_sums, DiceLossOfSums, dice_loss, forward)
GLIA_KERNEL(dice_loss_backward, DiceLossBackward, dice_loss, backward)
GLIA_KERNEL(bce_with_logits_forward, BceWithLogitsForward, bce_with_logits, forward)
GLIA_KERNEL(bce_with_logits_backward, BceWithLogitsBackward, bce_with_logits, backward)
GLIA_KERNEL(confusion_counts, ConfusionCounts, confusion_counts, forward)

GLIA_KERNEL(adam_step, AdamStep, adam, update)
GLIA_KERNEL(sgd_step, SgdStep, sgd, update)
GLIA_KERNEL(rmsprop_step, RmspropStep, rmsprop, update)

#undef GLIA_KERNEL
#undef GLIA_MAP_KERNEL
