// What a GPU's arithmetic and its memory do at best; see kernels/api/peak_work.h.
#pragma once

#include "kernels/api/peak_work.h"
#include "kernels/cuda/launch.h"

namespace glia::GLIA_GPU {

/// By our kernels and the driver.
const PeakWork& peak_work();

}  // namespace glia::GLIA_GPU
