// The one place from which kernels are called: it checks that the backend has the operation and
// times it when the device is being traced.
#pragma once

#include <chrono>

#include "engine/base/check.h"
#include "engine/runtime/device.h"

namespace glia {

/// Runs one kernel: `run<&KernelTable::relu_forward>(device, {.x = ..., .y = ...})`.
/// Throws `Error` when the backend does not implement it.
template <auto entry, class Args>
void run_kernel(Device& device, const Args& args) {
  const auto kernel = device.kernels().*entry;
  check(kernel != nullptr, "unsupported: the backend '{}' has no kernel {}", device.kernels().name,
        Args::kName);
  const auto call = [&] {
    kernel(device.context(), args);
    device.context().workspace.finish_call();
  };
  if (!device.tracing()) return call();
  device.synchronize();
  const auto start = std::chrono::steady_clock::now();
  call();
  device.synchronize();
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  device.add_trace(Args::kName, spent.count());
}

namespace detail {
template <class Entry>
struct EntryArgs;
template <class Args>
struct EntryArgs<Kernel<Args> KernelTable::*> {
  using type = Args;
};
}  // namespace detail

template <auto entry>
void run(Device& device, const typename detail::EntryArgs<decltype(entry)>::type& args) {
  run_kernel<entry>(device, args);
}

}  // namespace glia
