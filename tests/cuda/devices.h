// The devices that run the GPU backend's kernels: the emulator, and a GPU where there is one.
#pragma once

#include <vector>

#include "engine/runtime/open_device.h"

namespace glia::test {

std::vector<DeviceRequest> gpu_devices();

}  // namespace glia::test
