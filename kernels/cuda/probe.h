// Whether the kernels of this build run on the current GPU.
#pragma once

#include "kernels/cuda/launch.h"

namespace glia::GLIA_GPU {

/// cudaErrorNoKernelImageForDevice when they were built for other architectures.
cudaError_t probe_kernels();

}  // namespace glia::GLIA_GPU
