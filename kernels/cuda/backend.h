// The hand-written GPU kernels as the runtime opens them. One program may hold two builds of the
// same sources: `cuda` for GPUs and `emulated` for the emulator of kernels/emu.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/api/memory.h"
#include "kernels/api/peak_work.h"
#include "kernels/api/table.h"

namespace glia {

struct GpuInfo {
  std::string name;
  int major = 0, minor = 0;  // compute capability
  int multiprocessors = 0;
  std::int64_t block_memory = 0;            // bytes of shared memory that a block can have
  std::size_t memory = 0, free_memory = 0;  // bytes
  std::string problem;                      // why it cannot be used; empty when it can
};

/// What a machine offers. Versions as CUDA counts them: 13000 is 13.0; 0 where there is none.
struct GpuSurvey {
  std::vector<GpuInfo> gpus;
  std::string problem;  // why there is no GPU at all
  int driver_version = 0, runtime_version = 0;
  std::string architectures;  // that the kernels were built for, "80, 90" for instance
};

/// How far a survey goes. `names`: names and sizes alone. A GPU that is looked at more closely gets
/// a context, some hundred MiB of its memory.
enum class SurveyOf : std::uint8_t { names, until_usable, all };

struct GpuBackend {
  const KernelTable* kernels;
  /// What the calling thread's current GPU was, it is again afterwards.
  GpuSurvey (*survey)(SurveyOf);
  /// The memory of GPU `index` with a stream of its own. Throws `Error` saying why it cannot be
  /// used.
  std::unique_ptr<Allocator> (*open)(int index);
  /// What of NVIDIA's computes in place of our kernels, with versions and files; says what is
  /// missing where it cannot be loaded. Null for our kernels.
  std::string (*libraries)() = nullptr;
  /// To measure what the GPU does at best; never null in a backend.
  const PeakWork* peaks = nullptr;
};

namespace cuda {
const GpuBackend& backend();
}
namespace emulated {
const GpuBackend& backend();
}

}  // namespace glia
