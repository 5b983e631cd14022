// The kernel table of the GPU backends: NHWC, deterministic, parameters in float32.
#pragma once

#include "kernels/api/table.h"
#include "kernels/cuda/launch.h"

namespace glia::GLIA_GPU {

/// Activations in float32; its `in_bf16` has the same kernels, which learn types from their views.
const KernelTable& table();

}  // namespace glia::GLIA_GPU
