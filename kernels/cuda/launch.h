// The host side of kernel launches: configuration and error checks. For host code and kernels
// alike.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>

namespace glia::gpu {

struct LaunchConfig {
  dim3 grid, block;
  std::size_t smem_bytes = 0;  // sizeof the struct that the kernel asks gpu::shared for
  cudaStream_t stream = nullptr;
  const char* name = "kernel";  // in errors and NVTX ranges
};

/// Throws `Error` with `what` and CUDA's own words unless `status` is success.
void check(cudaError_t status, const char* what);

namespace detail {
/// Raises the kernel's shared-memory limit where it needs more than 48 KiB.
void prepare_launch(const void* kernel, const LaunchConfig& config);
/// Throws `Error` with the configuration when the launch was refused.
void check_launch(const LaunchConfig& config);
/// Shows the launch as a range in NVIDIA's profilers; next to nothing without one attached.
struct Range {
  explicit Range(const char* name);
  ~Range();
};
}  // namespace detail

}  // namespace glia::gpu
