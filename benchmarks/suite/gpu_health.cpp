#include "benchmarks/suite/gpu_health.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace glia::bench {

namespace {

using Handle = void*;
constexpr int kSuccess = 0;
constexpr unsigned kSmClock = 1, kMemoryClock = 2;

/// NVML's functions that are needed; all of them return a status.
struct Functions {
  int (*init)() = nullptr;
  int (*shut_down)() = nullptr;
  int (*find)(const char*, Handle*) = nullptr;
  int (*clock)(Handle, unsigned, unsigned*) = nullptr;
  int (*power)(Handle, unsigned*) = nullptr;  // milliwatts
  int (*limits)(Handle, unsigned long long*) = nullptr;
};

struct CloseLibrary {
  void operator()(void* library) const { dlclose(library); }
};
using Library = std::unique_ptr<void, CloseLibrary>;

template <class Function>
bool look_up(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

class Nvml : public GpuHealth {
 public:
  Nvml(Library library, const Functions& functions, Handle gpu)
      : library_(std::move(library)), functions_(functions), gpu_(gpu) {}
  ~Nvml() override { functions_.shut_down(); }

  GpuState now() const override {
    unsigned sm = 0, memory = 0, milliwatts = 0;
    unsigned long long limits = 0;
    functions_.clock(gpu_, kSmClock, &sm);
    functions_.clock(gpu_, kMemoryClock, &memory);
    functions_.power(gpu_, &milliwatts);
    functions_.limits(gpu_, &limits);
    return {static_cast<int>(sm), static_cast<int>(memory), 1e-3 * milliwatts, limits};
  }

 private:
  Library library_;
  Functions functions_;
  Handle gpu_;
};

}  // namespace

std::unique_ptr<GpuHealth> open_gpu_health(const std::string& pci_address, std::string& why,
                                           const char* library) {
  Library loaded(dlopen(library, RTLD_NOW | RTLD_LOCAL));
  if (!loaded) {
    why = fmt::format("no {} (it comes with NVIDIA's driver): clocks and power are not known",
                      library);
    return nullptr;
  }
  Functions f;
  const bool whole = look_up(loaded.get(), "nvmlInit_v2", f.init) &&
                     look_up(loaded.get(), "nvmlShutdown", f.shut_down) &&
                     look_up(loaded.get(), "nvmlDeviceGetHandleByPciBusId_v2", f.find) &&
                     look_up(loaded.get(), "nvmlDeviceGetClockInfo", f.clock) &&
                     look_up(loaded.get(), "nvmlDeviceGetPowerUsage", f.power) &&
                     look_up(loaded.get(), "nvmlDeviceGetCurrentClocksThrottleReasons", f.limits);
  if (!whole || f.init() != kSuccess) {
    why = fmt::format("{} {}: clocks and power are not known", library,
                      whole ? "does not start" : "lacks a function that is needed");
    return nullptr;
  }
  Handle gpu = nullptr;
  if (f.find(pci_address.c_str(), &gpu) != kSuccess) {
    f.shut_down();
    why = fmt::format("{} knows no GPU at {}: its clocks and power are not known", library,
                      pci_address);
    return nullptr;
  }
  return std::make_unique<Nvml>(std::move(loaded), f, gpu);
}

std::unique_ptr<GpuHealth> health_of(Device& device, std::string& why) {
  const std::string address = device.allocator().pci_address();
  return address.empty() ? nullptr : open_gpu_health(address, why);
}

}  // namespace glia::bench
