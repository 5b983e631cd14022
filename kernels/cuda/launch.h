// The host side of kernel launches: configuration and error checks. For host code and kernels
// alike.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <vector>

// One program may hold two builds of these sources, for GPUs and for the emulator, so everything in
// kernels/cuda lives in `namespace glia::GLIA_GPU`, and code refers to it as `gpu::`.
#if defined(GLIA_EMULATED)
#define GLIA_GPU emulated
#else
#define GLIA_GPU cuda
#endif
namespace glia {
namespace GLIA_GPU {}
namespace gpu = GLIA_GPU;
}  // namespace glia

namespace glia::GLIA_GPU {

struct LaunchConfig {
  dim3 grid, block;
  std::size_t smem_bytes = 0;  // sizeof the struct that the kernel asks gpu::shared for
  cudaStream_t stream = nullptr;
  const char* name = "kernel";  // in errors and NVTX ranges
};

/// Throws `Error` with `what` and CUDA's own words unless `status` is success.
void check(cudaError_t status, const char* what);

/// Throws `Error` "op: problem" unless `ok`: for kernel sources, which cannot use
/// engine/base/check.h.
void require(bool ok, const char* op, const char* problem);

/// From now on the names of the calling thread's launches are added to `names`; null: to nothing.
void log_launches(std::vector<const char*>* names);
/// A fill of memory, which is queued as a kernel is.
void log_fill();

namespace detail {
/// Notes the launch for `log_launches`. Raises the kernel's shared-memory limit where it needs more
/// than 48 KiB.
void prepare_launch(const void* kernel, const LaunchConfig& config);
/// Throws `Error` with the configuration when the launch was refused.
void check_launch(const LaunchConfig& config);
/// Shows the launch as a range in NVIDIA's profilers; next to nothing without one attached.
struct Range {
  explicit Range(const char* name);
  ~Range();
};
}  // namespace detail

}  // namespace glia::GLIA_GPU
