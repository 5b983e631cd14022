// The flags --device, --backend, --threads, --conv, --memory, --precision and --plugin, and the
// device that they name.
#pragma once

#include <memory>

#include "engine/runtime/open_device.h"

namespace CLI {
class App;
}

namespace glia {

struct DeviceOptions {
  DeviceRequest request;

  void add_to(CLI::App& command);
  /// --check-nan, for commands that run a network.
  void add_check_nan_to(CLI::App& command);
  /// Opens the device and says on standard error which one it took where that was left open.
  std::unique_ptr<Device> open() const;
};

}  // namespace glia
