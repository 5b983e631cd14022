// The flags --device, --backend, --threads, --conv, --memory and --precision, and the device that
// they name.
#pragma once

#include <memory>

#include "engine/runtime/open_device.h"

namespace CLI {
class App;
}

namespace glia {

struct DeviceOptions {
  DeviceRequest request;
  std::string conv = name_of(request.conv), memory = name_of(request.memory),
              precision = name_of(request.precision);

  void add_to(CLI::App& command);
  /// Opens the device and says on standard error which one it took where that was left open.
  std::unique_ptr<Device> open() const;
};

}  // namespace glia
