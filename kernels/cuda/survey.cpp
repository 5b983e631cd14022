#include "kernels/cuda/survey.h"

#include "engine/base/check.h"
#include "kernels/cuda/probe.h"

namespace glia::GLIA_GPU {

namespace {

constexpr const char* kArchitectures = GLIA_GPU_ARCHITECTURES;

std::string version(int number) {
  return fmt::format("{}.{}", number / 1000, number % 1000 / 10);
}

/// Why the machine offers no GPU at all, in words that say what to do.
std::string no_gpu(cudaError_t status, const GpuSurvey& found) {
  if (found.driver_version == 0) return "no NVIDIA driver; install one, or choose --device cpu";
  if (status == cudaErrorInsufficientDriver)
    return fmt::format(
        "the driver knows CUDA {} and this program was built with {}; update the "
        "driver or build with an older toolkit",
        version(found.driver_version), version(found.runtime_version));
  if (status == cudaErrorNoDevice) return "the driver finds no GPU (is CUDA_VISIBLE_DEVICES set?)";
  return cudaGetErrorString(status);
}

/// Puts back which GPU is current, where that was changed.
class KeepCurrent {
 public:
  KeepCurrent() : known_(cudaGetDevice(&before_) == cudaSuccess) {}
  ~KeepCurrent() {
    int now = before_;
    // Choosing a GPU makes a context on it, so only where it is not current anyway.
    if (known_ && cudaGetDevice(&now) == cudaSuccess && now != before_) cudaSetDevice(before_);
    cudaGetLastError();
  }
  KeepCurrent(const KeepCurrent&) = delete;
  KeepCurrent& operator=(const KeepCurrent&) = delete;

 private:
  int before_ = 0;
  bool known_;
};

/// What the driver says of a GPU without a context on it; a problem where it says nothing.
GpuInfo read_names(int index) {
  cudaDeviceProp properties{};
  GpuInfo gpu;
  const cudaError_t status = cudaGetDeviceProperties(&properties, index);
  if (status != cudaSuccess) {
    gpu.problem = cudaGetErrorString(status);
    cudaGetLastError();
    return gpu;
  }
  return {.name = properties.name,
          .major = properties.major,
          .minor = properties.minor,
          .multiprocessors = properties.multiProcessorCount,
          .block_memory = static_cast<std::int64_t>(properties.sharedMemPerBlockOptin),
          .memory = properties.totalGlobalMem,
          .free_memory = 0,
          .problem = {}};
}

GpuInfo inspect(int index) {
  GpuInfo gpu = read_names(index);
  if (!gpu.problem.empty()) return gpu;
  cudaError_t status = cudaSetDevice(index);
  std::size_t total = 0;
  if (status == cudaSuccess) status = cudaMemGetInfo(&gpu.free_memory, &total);
  if (status == cudaSuccess) status = probe_kernels();
  if (status == cudaErrorNoKernelImageForDevice)
    gpu.problem = fmt::format(
        "it has architecture {}{} and this program was built for {}; build "
        "with -DCMAKE_CUDA_ARCHITECTURES={}{}",
        gpu.major, gpu.minor, kArchitectures, gpu.major, gpu.minor);
  else if (status != cudaSuccess)
    gpu.problem = cudaGetErrorString(status);
  cudaGetLastError();  // what is wrong has been said
  return gpu;
}

/// How many GPUs there are, without a look at any of them.
GpuSurvey count_gpus(int& count) {
  GpuSurvey found;
  found.architectures = kArchitectures;
  cudaRuntimeGetVersion(&found.runtime_version);
  cudaDriverGetVersion(&found.driver_version);
  const cudaError_t status = cudaGetDeviceCount(&count);
  cudaGetLastError();
  if (status != cudaSuccess) count = 0;
  if (count == 0) found.problem = no_gpu(status, found);
  return found;
}

}  // namespace

GpuSurvey survey(SurveyOf gpus) {
  const KeepCurrent keep;
  int count = 0;
  GpuSurvey found = count_gpus(count);
  for (int i = 0; i < count; ++i) {
    found.gpus.push_back(gpus == SurveyOf::names ? read_names(i) : inspect(i));
    if (gpus == SurveyOf::until_usable && found.gpus.back().problem.empty()) break;
  }
  return found;
}

GpuInfo usable_gpu(int index) {
  int count = 0;
  const GpuSurvey found = count_gpus(count);
  glia::check(found.problem.empty(), "no GPU can be used: {}", found.problem);
  glia::check(index >= 0 && index < count, "GPU {}: this machine has {}, numbered from 0", index,
              count);
  const GpuInfo gpu = inspect(index);
  glia::check(gpu.problem.empty(), "GPU {} ({}) cannot be used: {}", index, gpu.name, gpu.problem);
  return gpu;
}

}  // namespace glia::GLIA_GPU
