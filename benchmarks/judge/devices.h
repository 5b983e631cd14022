// The backends that every case list runs on.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/runtime/device.h"
#include "engine/runtime/gpu_backends.h"
#include "kernels/api/table.h"

namespace glia::test {

/// Kernel tables under test; a table's name is the backend's name.
std::vector<const KernelTable*> devices_under_test();
/// These and, for an operation that it has, the backend of convolutions alone.
std::vector<const KernelTable*> devices_under_test(std::string_view op);

/// The kernels of "cpu", "emu" or "cuda". Throws `Error` where this build or machine has none.
const KernelTable& kernels_named(std::string_view backend);

/// Memory with guards of its own, of the one device that `kernels` runs on throughout the process.
std::shared_ptr<GuardedAllocator> guarded_memory(const KernelTable& kernels);

/// Calls `body` with each device under test that has activations in bf16, in guarded memory that
/// has to be intact afterwards.
void on_each_device_in_bf16(const std::function<void(Device&)>& body);

/// Whether the kernels use as many threads as they are told to (those on GPUs do not).
bool is_threaded(const KernelTable& kernels);
/// Whether they cut sums by the number of threads, so that the last bits depend on it.
bool splits_sums_by_threads(const KernelTable& kernels);

}  // namespace glia::test
