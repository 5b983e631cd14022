// The one place from which kernels are called: it checks that the backend has the operation, and
// lets watchers see the call.
#pragma once

#include "engine/base/check.h"
#include "engine/runtime/device.h"

namespace glia {

/// Runs one kernel: `run<&KernelTable::relu_forward>(device, {.x = ..., .y = ...})`.
/// Throws `Error` when the backend does not implement it.
template <auto entry>
void run(Device& device, const ArgsOf<entry>& args) {
  const auto call = [&] {
    const auto kernel = device.kernels().*entry;
    check(kernel != nullptr, "unsupported: the backend '{}' has no kernel {}",
          device.kernels().name, name_of(args));
    kernel(device.context(), args);
    device.context().workspace.finish_call();
  };
  if (!device.watched()) return call();
  const KernelCall watched(args);
  if (!device.before(watched)) return;
  call();
  device.after(watched);
}

}  // namespace glia
