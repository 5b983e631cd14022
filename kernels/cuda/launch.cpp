#include "kernels/cuda/launch.h"

#include "engine/base/check.h"

#if __has_include(<nvtx3/nvToolsExt.h>)
#include <nvtx3/nvToolsExt.h>
#define GLIA_NVTX 1
#endif

namespace glia::GLIA_GPU {

namespace {

thread_local std::vector<const char*>* t_launches = nullptr;

void note(const char* name) {
  if (t_launches) t_launches->push_back(name);
}

}  // namespace

void log_launches(std::vector<const char*>* names) {
  t_launches = names;
}

void log_fill() {
  note("memset");
}

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  fail("{}: {} ({})", what, cudaGetErrorString(status), cudaGetErrorName(status));
}

void require(bool ok, const char* op, const char* problem) {
  glia::check(ok, "{}: {}", op, problem);
}

namespace detail {

void prepare_launch(const void* kernel, const LaunchConfig& config) {
  note(config.name);
  constexpr std::size_t kDefaultLimit = 48 * 1024;
  if (config.smem_bytes <= kDefaultLimit) return;
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(config.smem_bytes)),
        config.name);
}

void check_launch(const LaunchConfig& config) {
  const cudaError_t status = cudaGetLastError();
  if (status == cudaSuccess) return;
  const dim3 g = config.grid, t = config.block;
  fail("kernel {} on ({},{},{}) blocks of ({},{},{}) threads, {} bytes of shared memory: {} ({})",
       config.name, g.x, g.y, g.z, t.x, t.y, t.z, config.smem_bytes, cudaGetErrorString(status),
       cudaGetErrorName(status));
}

#if defined(GLIA_NVTX)
Range::Range(const char* name) {
  nvtxRangePushA(name);
}
Range::~Range() {
  nvtxRangePop();
}
#else
Range::Range(const char*) {}
Range::~Range() {}
#endif

}  // namespace detail
}  // namespace glia::GLIA_GPU
