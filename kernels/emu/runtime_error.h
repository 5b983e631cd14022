// What the emulated CUDA runtime's functions share.
#pragma once

#include <cuda_runtime.h>

#include "kernels/emu/places.h"

namespace glia::emu {

/// Returns `error`, and keeps it for cudaGetLastError unless it is success.
cudaError_t result(cudaError_t error);

}  // namespace glia::emu

/// The caller of this function of the runtime, for reports.
#define GLIA_CALL_PLACE glia::emu::place_of(__builtin_return_address(0))
