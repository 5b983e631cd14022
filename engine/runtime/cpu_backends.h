// The libraries that this build can compute with on the CPU in place of our kernels.
#pragma once

#include <string_view>

#include "kernels/onednn/backend.h"

namespace glia {

/// "onednn", or "onednn-blocked" for calls that are made one by one; null when this build has none
/// of that name.
const CpuBackend* find_cpu_backend(std::string_view name);

}  // namespace glia
