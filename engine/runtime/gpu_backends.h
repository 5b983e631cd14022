// The GPU backends that this build has.
#pragma once

#include <string_view>

#include "kernels/cuda/backend.h"

namespace glia {

/// "cuda" (our kernels on a GPU), "cudnn" (NVIDIA's libraries where they have the kernel) or "emu"
/// (ours in the emulator on the CPU); null when this build has none of that name.
const GpuBackend* find_gpu_backend(std::string_view name);

/// Whether these are our kernels for GPUs, on one or in the emulator.
bool is_our_gpu(const KernelTable& kernels);

}  // namespace glia
