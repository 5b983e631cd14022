#include "tests/cuda/devices.h"

#include "engine/base/rng.h"
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

Tensor normal(Device& device, const Shape& shape, DType type, std::uint64_t stream, double mean) {
  Sequence draw(3, stream);
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  for (float& v : values) v = static_cast<float>(draw.normal() + mean);
  const Tensor t = Tensor::empty(device, shape, type);
  t.copy_from(values);
  return t;
}

}  // namespace glia::test
