// The GPU backend with NVIDIA's cuDNN and cuBLAS in place of the kernels that they have, for
// comparison. What is theirs and what stays ours: docs/cudnn.md.
#pragma once

#include <string>
#include <vector>

#include "kernels/cuda/backend.h"

namespace glia::cudnn {

/// Its memory is that of the `cuda` backend and owns the handles. Convolutions multiply in the
/// context's precision; its `in_bf16` has the same functions, which learn types from their views.
const GpuBackend& backend();

/// The plans that a device's convolutions and poolings have built, the most recently used first: a
/// line each with operation, shapes, engine and workspace, or why cuDNN declined.
std::vector<std::string> plans(const KernelContext& context);

}  // namespace glia::cudnn
