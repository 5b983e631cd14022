#include "tests/ops/devices.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include "engine/runtime/gpu_backends.h"
#include "kernels/cpu/table.h"

namespace glia::test {

namespace {

/// Whether the environment's GLIA_TEST_BACKENDS asks for this one: a list such as "cpu,emu";
/// without it all are asked for.
bool is_wanted(const KernelTable& kernels) {
  const char* wanted = std::getenv("GLIA_TEST_BACKENDS");
  return !wanted || ("," + std::string(wanted) + ",").find(fmt::format(",{},", kernels.name)) !=
                        std::string::npos;
}

/// GPU backends of this build that can be used here.
std::vector<const GpuBackend*> gpu_backends() {
  std::vector<const GpuBackend*> backends;
  if (const GpuBackend* emu = find_gpu_backend("emu")) backends.push_back(emu);
  for (const char* name : {"cuda", "cudnn"})
    if (const GpuBackend* backend = find_gpu_backend(name)) {
      static const GpuSurvey found = backend->survey();  // they find the same
      if (!found.gpus.empty()) backends.push_back(backend);
    }
  return backends;
}

}  // namespace

std::vector<const KernelTable*> devices_under_test() {
  std::vector<const KernelTable*> tables{&cpu::table()};
  for (const GpuBackend* backend : gpu_backends()) tables.push_back(backend->kernels);
  std::erase_if(tables, [](const KernelTable* kernels) { return !is_wanted(*kernels); });
  check(!tables.empty(), "GLIA_TEST_BACKENDS={}: this build or machine has none of them",
        std::getenv("GLIA_TEST_BACKENDS"));
  return tables;
}

std::shared_ptr<GuardedAllocator> guarded_memory(const KernelTable& kernels) {
  for (const GpuBackend* backend : gpu_backends())
    if (std::strcmp(backend->kernels->name, kernels.name) == 0)
      return std::make_shared<GuardedAllocator>(backend->open(0));
  return std::make_shared<GuardedAllocator>(std::make_unique<SystemAllocator>());
}

bool is_threaded(const KernelTable& kernels) {
  return guarded_memory(kernels)->on_host();
}

}  // namespace glia::test
