// What oneDNN computes in place of our kernels; backend.cpp enters it into the tables.
#pragma once

#include "kernels/api/table.h"

namespace glia::onednn {

void conv2d_forward(KernelContext&, const Conv2dForward&);
void conv2d_dgrad(KernelContext&, const Conv2dDgrad&);
void conv2d_wgrad(KernelContext&, const Conv2dWgrad&);
void conv_transpose2d_forward(KernelContext&, const ConvTranspose2dForward&);
void conv_transpose2d_dgrad(KernelContext&, const ConvTranspose2dDgrad&);
void conv_transpose2d_wgrad(KernelContext&, const ConvTranspose2dWgrad&);

void batch_norm_forward_train(KernelContext&, const BatchNormForwardTrain&);
void batch_norm_backward_train(KernelContext&, const BatchNormBackwardTrain&);

}  // namespace glia::onednn
