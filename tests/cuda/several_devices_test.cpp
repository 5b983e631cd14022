// Several GPUs, on the emulator: whichever was opened or looked at last, work goes where its memory
// is.
#include <cuda_runtime.h>

#include "engine/runtime/gpu_backends.h"
#include "engine/runtime/run.h"
#include "engine/tensor/tensor.h"
#include "kernels/emu/emu.h"
#include "tests/catch.h"

namespace glia::test {

namespace {

struct TwoDevices {
  TwoDevices() { emu::options().devices = 2; }
  ~TwoDevices() {
    emu::options().devices = 1;
    cudaSetDevice(0);
  }
  TwoDevices(const TwoDevices&) = delete;
  TwoDevices& operator=(const TwoDevices&) = delete;
};

std::unique_ptr<Device> open(int index) {
  const GpuBackend& backend = *find_gpu_backend("emu");
  return std::make_unique<Device>("emu", *backend.kernels,
                                  std::make_shared<CachingAllocator>(backend.open(index)), 1);
}

/// y = 2 x on the device, by way of every kind of work that is queued on it.
std::vector<float> doubled(Device& device, float x) {
  const Tensor from = Tensor::from<float>(device, {2}, std::vector<float>{x, -x});
  const Tensor to = Tensor::zeros(device, {2});
  run<&KernelTable::scale>(device, {.x = from, .y = to, .alpha = 2});
  return to.to_vector<float>();
}

int current() {
  int device = -1;
  cudaGetDevice(&device);
  return device;
}

}  // namespace

TEST_CASE("several gpus: work goes to its own, whichever is current", "[cuda]") {
  const TwoDevices two;
  const GpuBackend& backend = *find_gpu_backend("emu");
  const auto first = open(0), second = open(1);
  for (int round = 0; round < 2; ++round) {
    CHECK((doubled(*first, 3) == std::vector<float>{6, -6}));
    CHECK((doubled(*second, 4) == std::vector<float>{8, -8}));
    CHECK(backend.survey(SurveyOf::all).gpus.size() == 2);
  }
  const Tensor x = Tensor::from<float>(*first, {1}, std::vector<float>{1});
  const auto step = [&] { run<&KernelTable::scale>(*first, {.x = x, .y = x, .alpha = 3}); };
  step();
  const auto graph = first->capture(step);
  cudaSetDevice(1);
  graph->replay();
  CHECK(x.item() == 9);
}

TEST_CASE("several gpus: a survey leaves the current one as it was", "[cuda]") {
  const TwoDevices two;
  const GpuBackend& backend = *find_gpu_backend("emu");
  for (const int device : {0, 1})
    for (const SurveyOf gpus : {SurveyOf::names, SurveyOf::until_usable, SurveyOf::all}) {
      cudaSetDevice(device);
      const GpuSurvey found = backend.survey(gpus);
      CHECK(current() == device);
      CHECK(found.gpus.size() == (gpus == SurveyOf::until_usable ? 1 : 2));
    }
}

}  // namespace glia::test
