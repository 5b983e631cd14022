#include "apps/support/device_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

namespace glia {

void DeviceOptions::add_to(CLI::App& command) {
  command.add_option("--device", device, "Where to compute: cpu, or auto (says what it took)")
      ->check(CLI::IsMember({"auto", "cpu"}))
      ->capture_default_str();
  command.add_option("--threads", threads, "CPU threads; 0 takes every core")
      ->capture_default_str();
}

std::unique_ptr<Device> DeviceOptions::open() const {
  auto opened = make_cpu_device(threads);
  if (device == "auto")
    fmt::print(stderr, "device: {} with {} threads\n", opened->name(), opened->context().threads);
  return opened;
}

}  // namespace glia
