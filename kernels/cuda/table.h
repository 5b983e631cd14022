// The kernel tables of the GPU backends: NHWC, deterministic, parameters in float32.
#pragma once

#include "kernels/api/table.h"
#include "kernels/cuda/launch.h"

namespace glia::GLIA_GPU {

/// Activations in float32.
const KernelTable& table();
/// In bfloat16. The kernels are the same: they learn types from their views.
const KernelTable& bf16_table();

}  // namespace glia::GLIA_GPU
