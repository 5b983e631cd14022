// The contract between engine and backends: one function pointer an operation. A backend is a
// `const KernelTable` filled with designated initialisers; an empty entry is an operation that the
// backend does not have, and calling it is an error, never a silent detour.
#pragma once

#include "kernels/api/batch_norm.h"
#include "kernels/api/context.h"
#include "kernels/api/conv2d.h"
#include "kernels/api/conv_transpose2d.h"
#include "kernels/api/elementwise.h"
#include "kernels/api/group_norm.h"
#include "kernels/api/loss.h"
#include "kernels/api/norm_relu.h"
#include "kernels/api/optim.h"
#include "kernels/api/resample.h"

namespace glia {

template <class Args>
using Kernel = void (*)(KernelContext&, const Args&);

struct KernelTable {
  const char* name = "";
  DType dtype = DType::f32;  // of activations, parameters and gradients
  bool reads_maps = false;   // kernels take maps of their operands and give moments of results

  Kernel<Conv2dForward> conv2d_forward = nullptr;
  Kernel<Conv2dDgrad> conv2d_dgrad = nullptr;
  Kernel<Conv2dWgrad> conv2d_wgrad = nullptr;
  Kernel<ConvTranspose2dForward> conv_transpose2d_forward = nullptr;
  Kernel<ConvTranspose2dDgrad> conv_transpose2d_dgrad = nullptr;
  Kernel<ConvTranspose2dWgrad> conv_transpose2d_wgrad = nullptr;

  Kernel<BatchNormForwardTrain> batch_norm_forward_train = nullptr;
  Kernel<BatchNormForwardEval> batch_norm_forward_eval = nullptr;
  Kernel<BatchNormBackwardTrain> batch_norm_backward_train = nullptr;
  Kernel<BatchNormBackwardEval> batch_norm_backward_eval = nullptr;
  Kernel<GroupNormForward> group_norm_forward = nullptr;
  Kernel<GroupNormBackward> group_norm_backward = nullptr;

  Kernel<ChannelMoments> channel_moments = nullptr;
  Kernel<BatchNormReluMapTrain> batch_norm_relu_map_train = nullptr;
  Kernel<BatchNormReluMapEval> batch_norm_relu_map_eval = nullptr;
  Kernel<BatchNormReluBackwardTrain> batch_norm_relu_backward_train = nullptr;
  Kernel<BatchNormReluBackwardEval> batch_norm_relu_backward_eval = nullptr;
  Kernel<Materialise> materialise = nullptr;

  Kernel<ReluForward> relu_forward = nullptr;
  Kernel<ReluBackward> relu_backward = nullptr;
  Kernel<SigmoidForward> sigmoid_forward = nullptr;
  Kernel<SigmoidBackward> sigmoid_backward = nullptr;
  Kernel<Dropout> dropout = nullptr;
  Kernel<Add> add = nullptr;
  Kernel<Mul> mul = nullptr;
  Kernel<Scale> scale = nullptr;
  Kernel<Fill> fill = nullptr;
  Kernel<Sum> sum = nullptr;
  Kernel<Threshold> threshold = nullptr;

  Kernel<MaxPool2dForward> max_pool2d_forward = nullptr;
  Kernel<MaxPool2dBackward> max_pool2d_backward = nullptr;
  Kernel<UpsampleNearest2dForward> upsample_nearest2d_forward = nullptr;
  Kernel<UpsampleNearest2dBackward> upsample_nearest2d_backward = nullptr;

  Kernel<IouLossForward> iou_loss_forward = nullptr;
  Kernel<IouLossBackward> iou_loss_backward = nullptr;
  Kernel<DiceLossForward> dice_loss_forward = nullptr;
  Kernel<DiceLossBackward> dice_loss_backward = nullptr;
  Kernel<BceWithLogitsForward> bce_with_logits_forward = nullptr;
  Kernel<BceWithLogitsBackward> bce_with_logits_backward = nullptr;
  Kernel<ConfusionCounts> confusion_counts = nullptr;

  Kernel<AdamStep> adam_step = nullptr;
  Kernel<SgdStep> sgd_step = nullptr;
  Kernel<RmspropStep> rmsprop_step = nullptr;
};

}  // namespace glia
