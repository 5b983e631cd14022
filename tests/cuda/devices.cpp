#include "tests/cuda/devices.h"

#include "engine/runtime/gpu_backends.h"

namespace glia::test {

std::vector<DeviceRequest> gpu_devices() {
  std::vector<DeviceRequest> requests{{.device = "cpu", .backend = "emu"}};
  const GpuBackend* cuda = find_gpu_backend("cuda");
  if (!cuda || cuda->survey(SurveyOf::until_usable).gpus.empty()) return requests;
  requests.push_back({.device = "cuda", .backend = "native"});
  if (find_gpu_backend("cudnn")) requests.push_back({.device = "cuda", .backend = "cudnn"});
  return requests;
}

}  // namespace glia::test
