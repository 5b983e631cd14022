// Convolutions that are matrix products as they stand, by cuBLAS.
#pragma once

#include "kernels/cudnn/convolve.h"

namespace glia::cudnn {

/// Whether each pixel of the result has one pixel of the image (1x1, stride 1): then the matrices
/// are multiplied where they lie, whatever their pitch.
bool is_product(const ConvGeometry& g);

/// As `convolve`.
void multiply(KernelContext& context, const char* op, Pass pass, const ConvGeometry& g,
              const ConvOperands& operands, Write write);

}  // namespace glia::cudnn
