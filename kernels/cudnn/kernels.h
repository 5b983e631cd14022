// What NVIDIA's libraries compute in place of our kernels; backend.cpp enters it into the table.
// Each function queues its work on the context's stream and returns.
#pragma once

#include "kernels/api/table.h"

namespace glia::cudnn {

void conv2d_forward(KernelContext&, const Conv2dForward&);
void conv2d_dgrad(KernelContext&, const Conv2dDgrad&);
void conv2d_wgrad(KernelContext&, const Conv2dWgrad&);
void conv_transpose2d_forward(KernelContext&, const ConvTranspose2dForward&);
void conv_transpose2d_dgrad(KernelContext&, const ConvTranspose2dDgrad&);
void conv_transpose2d_wgrad(KernelContext&, const ConvTranspose2dWgrad&);

void batch_norm_forward_train(KernelContext&, const BatchNormForwardTrain&);
void batch_norm_forward_eval(KernelContext&, const BatchNormForwardEval&);
void batch_norm_backward_train(KernelContext&, const BatchNormBackwardTrain&);

void relu_forward(KernelContext&, const ReluForward&);
void relu_backward(KernelContext&, const ReluBackward&);
void sigmoid_forward(KernelContext&, const SigmoidForward&);
void sigmoid_backward(KernelContext&, const SigmoidBackward&);

/// By our own kernel where cuDNN has no engine with an index; says so on standard error, once a
/// geometry.
void max_pool2d_forward(KernelContext&, const MaxPool2dForward&);
void max_pool2d_backward(KernelContext&, const MaxPool2dBackward&);

}  // namespace glia::cudnn
