// Clocks, power and slow-downs of a GPU, by NVIDIA's management library (NVML), which comes with
// the driver and is loaded when it is asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/runtime/device.h"

namespace glia::bench {

/// What holds a GPU's clocks down, as bits of NVML's "clocks event reasons" (NVML API reference,
/// nvmlClocksEventReasons).
enum GpuLimit : std::uint64_t {
  kPowerCap = 0x4,
  kHardwareSlowdown = 0x8,
  kThermalSlowdown = 0x20,
  kHardwareThermal = 0x40,
  kPowerBrake = 0x80
};

/// A GPU at a moment.
struct GpuState {
  int sm_mhz = 0, memory_mhz = 0;  // clocks
  double watts = 0;
  std::uint64_t limits = 0;  // GpuLimit, and others that do not matter

  /// Too hot, or cut off from power: what is timed then is not what the GPU can do. A GPU that
  /// works hard is held by its power cap all the time, which counts as its own speed.
  bool slowed_down() const {
    return limits & (kHardwareSlowdown | kThermalSlowdown | kHardwareThermal | kPowerBrake);
  }
};

class GpuHealth {
 public:
  virtual ~GpuHealth() = default;
  /// Zeros where the library does not say.
  virtual GpuState now() const = 0;
};

/// Of the GPU at a PCI address, such as "0000:3B:00.0". Null where there is no such library or GPU;
/// `why` then says so.
std::unique_ptr<GpuHealth> open_gpu_health(const std::string& pci_address, std::string& why,
                                           const char* library = "libnvidia-ml.so.1");

/// Of a device's GPU; null where it is none, or `why` says why nothing tells.
std::unique_ptr<GpuHealth> health_of(Device& device, std::string& why);

}  // namespace glia::bench
