// The devices that run the GPU backend's kernels: the emulator, and a GPU where there is one.
#pragma once

#include <vector>

#include "engine/runtime/open_device.h"
#include "engine/tensor/tensor.h"
#include "tests/catch.h"

namespace glia::test {

std::vector<DeviceRequest> gpu_devices();

/// Calls `action(device, precision)` for those of our own kernels, in each precision.
template <class Action>
void on_our_gpus(const Action& action) {
  for (DeviceRequest request : gpu_devices())
    for (const auto precision : {ConvPrecision::fp32, ConvPrecision::tf32, ConvPrecision::bf16}) {
      if (request.backend == "cudnn") continue;
      request.precision = precision;
      INFO(request.backend << " in " << name_of(precision));
      action(*open_device(request), precision);
    }
}

/// Normally distributed numbers around `mean`; of each stream others.
Tensor normal(Device& device, const Shape& shape, DType type, std::uint64_t stream,
              double mean = 0);

}  // namespace glia::test
