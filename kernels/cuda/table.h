// The kernel table of the GPU backends: float32, NHWC, deterministic.
#pragma once

#include "kernels/api/table.h"
#include "kernels/cuda/launch.h"

namespace glia::GLIA_GPU {

const KernelTable& table();

}  // namespace glia::GLIA_GPU
