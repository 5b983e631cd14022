#include "kernels/cuda/survey.h"

#include "engine/base/check.h"
#include "kernels/cuda/probe.h"

namespace glia::GLIA_GPU {

namespace {

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

GpuInfo inspect(int index, const std::string& architectures) {
  cudaDeviceProp properties{};
  GpuInfo gpu;
  cudaError_t status = cudaGetDeviceProperties(&properties, index);
  if (status == cudaSuccess) {
    gpu = {.name = properties.name,
           .major = properties.major,
           .minor = properties.minor,
           .multiprocessors = properties.multiProcessorCount,
           .memory = properties.totalGlobalMem,
           .free_memory = 0,
           .problem = {}};
    status = cudaSetDevice(index);
  }
  std::size_t total = 0;
  if (status == cudaSuccess) status = cudaMemGetInfo(&gpu.free_memory, &total);
  if (status == cudaSuccess) status = probe_kernels();
  if (status == cudaErrorNoKernelImageForDevice)
    gpu.problem = fmt::format(
        "it has architecture {}{} and this program was built for {}; build "
        "with -DCMAKE_CUDA_ARCHITECTURES={}{}",
        gpu.major, gpu.minor, architectures, gpu.major, gpu.minor);
  else if (status != cudaSuccess)
    gpu.problem = cudaGetErrorString(status);
  cudaGetLastError();  // what is wrong has been said
  return gpu;
}

}  // namespace

GpuSurvey survey() {
  GpuSurvey found;
  found.architectures = GLIA_GPU_ARCHITECTURES;
  cudaRuntimeGetVersion(&found.runtime_version);
  cudaDriverGetVersion(&found.driver_version);
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  cudaGetLastError();
  if (status != cudaSuccess || count == 0) {
    found.problem = no_gpu(status, found);
    return found;
  }
  for (int i = 0; i < count; ++i) found.gpus.push_back(inspect(i, found.architectures));
  return found;
}

GpuInfo usable_gpu(int index) {
  const GpuSurvey found = survey();
  glia::check(found.problem.empty(), "no GPU can be used: {}", found.problem);
  const auto count = static_cast<int>(found.gpus.size());
  glia::check(index >= 0 && index < count, "GPU {}: this machine has {}, numbered from 0", index,
              count);
  const GpuInfo& gpu = found.gpus[static_cast<std::size_t>(index)];
  glia::check(gpu.problem.empty(), "GPU {} ({}) cannot be used: {}", index, gpu.name, gpu.problem);
  return gpu;
}

}  // namespace glia::GLIA_GPU
