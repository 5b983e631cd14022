// The one place from which kernels are called: it checks that the backend has the operation, and
// lets watchers see the call.
#pragma once

#include "engine/base/check.h"
#include "engine/runtime/device.h"

namespace glia {

namespace detail {
/// Whether the call wants an operand read through a map (read_map.h), of a kernel that can be
/// called without.
template <class Args>
bool wants_maps([[maybe_unused]] const Args& args) {
  if constexpr (requires { args.x_map; })
    return static_cast<bool>(args.x_map);
  else
    return false;
}

/// Whether it can be had so.
template <class Args>
bool reads_map(const Device& device, [[maybe_unused]] const Args& args) {
  if constexpr (requires { device.reads_map(kernel_of<Args>(), args.geometry); })
    return device.reads_map(kernel_of<Args>(), args.geometry);
  else
    return device.kernels().maps == Maps::read;
}

/// Does `call` as one that watchers see.
template <class Call>
void watched(Device& device, const KernelCall& seen, const Call& call) {
  if (!device.before(seen)) return;
  call();
  device.after(seen);
}
}  // namespace detail

/// Runs one kernel: `run<&KernelTable::relu_forward>(device, {.x = ..., .y = ...})`.
/// Throws `Error` when the backend does not implement it, or not with these arguments.
template <auto entry>
void run(Device& device, const ArgsOf<entry>& args) {
  const auto call = [&] {
    const auto kernel = device.kernels().*entry;
    check(kernel != nullptr, "unsupported: the backend '{}' has no kernel {}",
          device.kernels().name, name_of(args));
    check(!detail::wants_maps(args) || detail::reads_map(device, args),
          "unsupported: {}: the backend '{}' reads no maps", name_of(args), device.kernels().name);
    if constexpr (requires { args.y_map; }) {
      check(device.kernels().maps_results || !args.y_map,
            "unsupported: {}: the backend '{}' does not map results", name_of(args),
            device.kernels().name);
      check(device.kernels().gives_moments || !args.moments,
            "unsupported: {}: the backend '{}' gives no moments", name_of(args),
            device.kernels().name);
    }
    device.allocator().make_current();
    kernel(device.context(), args);
    device.context().workspace.finish_call();
  };
  if (!device.watched()) return call();
  detail::watched(device, KernelCall(args), call);
}

/// Gathers and augments a batch. Throws `Error` where the backend leaves that to the loader.
inline void run_augment_batch(Device& device, const AugmentBatch& args) {
  check(device.kernels().augment_batch != nullptr,
        "unsupported: the backend '{}' does not augment batches", device.kernels().name);
  detail::watched(device, KernelCall(kAugmentBatch, args), [&] {
    device.allocator().make_current();
    device.kernels().augment_batch(device.context(), args);
    device.context().workspace.finish_call();
  });
}

}  // namespace glia
