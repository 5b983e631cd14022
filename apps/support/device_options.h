// The flags --device and --threads, and the device that they name.
#pragma once

#include <memory>
#include <string>

#include "engine/runtime/device.h"

namespace CLI {
class App;
}

namespace glia {

struct DeviceOptions {
  std::string device = "auto";
  int threads = 0;

  void add_to(CLI::App& command);
  /// Opens the device and, for `auto`, says on standard error which one it took.
  std::unique_ptr<Device> open() const;
};

}  // namespace glia
