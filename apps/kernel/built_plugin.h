// A .cu file of glia bench --plugin FILE.cu --as KERNEL, as a library.
#pragma once

#include <string>

#include "apps/kernel/workshop.h"
#include "kernels/api/table.h"

namespace glia {

class BuiltPlugin {
 public:
  /// For the emulator, or by nvcc for the GPU of this machine. Throws `Error` where that cannot be
  /// done here, and with the compiler's words where it does not compile.
  BuiltPlugin(const std::string& file, const KernelInfo& kernel, bool emulated);
  const std::string& library() const { return library_; }

 private:
  Workshop workshop_;
  std::string library_;
};

/// Throws `Error` with one sentence where no kernel can be timed on a GPU here, and what can be
/// done instead. `device` is that of --device.
void check_has_gpu(const std::string& file, const std::string& as, const std::string& device);

}  // namespace glia
