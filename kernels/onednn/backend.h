// The CPU backend with oneDNN in place of the kernels that it has, for comparison. What is its and
// what stays ours: docs/onednn.md.
#pragma once

#include <memory>
#include <string>

#include "kernels/api/memory.h"
#include "kernels/api/table.h"

namespace glia {

/// A library's kernels in place of some of the CPU's.
struct CpuBackend {
  const KernelTable* kernels;
  std::string library;  // with its version: "oneDNN 2.6.3"
  /// Memory of the host that gives the kernels their library; it must outlive their calls.
  std::unique_ptr<Allocator> (*open)();
};

namespace onednn {

/// On tensors as the engine has them. Layouts that oneDNN prefers are made and left in each call.
const CpuBackend& backend();

/// Convolutions alone, on copies in oneDNN's own layouts that stay from call to call: a repeated
/// call is the primitive and nothing else. Results reach the engine's memory when it is read
/// through the allocator, so only calls that are made one by one make sense. The table lacks every
/// other operation of a network, since those would read that memory directly.
const CpuBackend& backend_blocked();

}  // namespace onednn

}  // namespace glia
