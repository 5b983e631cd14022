// The backends that every case list runs on.
#pragma once

#include <memory>
#include <vector>

#include "engine/runtime/allocator.h"
#include "kernels/api/table.h"

namespace glia::test {

/// Kernel tables under test; a table's name is the backend's name.
std::vector<const KernelTable*> devices_under_test();

/// Guarded memory of the device that `kernels` runs on.
std::shared_ptr<GuardedAllocator> guarded_memory(const KernelTable& kernels);

/// Whether the kernels use as many threads as they are told to (those on GPUs do not).
bool is_threaded(const KernelTable& kernels);

}  // namespace glia::test
