#include "benchmarks/judge/devices.h"

#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "engine/base/check.h"
#include "engine/runtime/cpu_backends.h"
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
      static const GpuSurvey found = backend->survey(SurveyOf::until_usable);  // they find the same
      if (!found.gpus.empty()) backends.push_back(backend);
    }
  return backends;
}

/// The environment's GLIA_TEST_INSTRUCTION_SET, such as "AVX2": no better one is used.
void limit_instructions() {
  const char* name = std::getenv("GLIA_TEST_INSTRUCTION_SET");
  static const bool limited = name != nullptr && cpu::limit_instruction_set(name);
  check(name == nullptr || limited,
        "GLIA_TEST_INSTRUCTION_SET={}: this build or machine has no such one", name ? name : "");
}

/// The memory of a backend, opened once: a GPU's context costs more than a case. Never closed,
/// since what it closes with may be gone by the end of the program.
std::shared_ptr<Allocator> opened(const KernelTable& kernels) {
  static auto& memories = *new std::map<std::string, std::shared_ptr<Allocator>>;
  std::shared_ptr<Allocator>& memory = memories[kernels.name];
  if (memory) return memory;
  for (const GpuBackend* backend : gpu_backends())
    if (backend->kernels->name == std::string_view(kernels.name)) return memory = backend->open(0);
  const CpuBackend* library = find_cpu_backend(kernels.name);
  return memory = library ? library->open() : std::make_unique<SystemAllocator>();
}

std::vector<const KernelTable*> wanted_of(std::vector<const KernelTable*> tables) {
  std::erase_if(tables, [](const KernelTable* kernels) { return !is_wanted(*kernels); });
  return tables;
}

}  // namespace

std::vector<const KernelTable*> devices_under_test() {
  limit_instructions();
  std::vector<const KernelTable*> tables{&cpu::table()};
  if (const CpuBackend* backend = find_cpu_backend("onednn")) tables.push_back(backend->kernels);
  for (const GpuBackend* backend : gpu_backends()) tables.push_back(backend->kernels);
  tables = wanted_of(tables);
  check(!tables.empty(), "GLIA_TEST_BACKENDS={}: this build or machine has none of them",
        std::getenv("GLIA_TEST_BACKENDS"));
  return tables;
}

std::vector<const KernelTable*> devices_under_test(std::string_view op) {
  std::vector<const KernelTable*> tables = devices_under_test();
  const CpuBackend* blocked = find_cpu_backend("onednn-blocked");
  if (blocked && op.starts_with("conv"))
    for (const KernelTable* kernels : wanted_of({blocked->kernels})) tables.push_back(kernels);
  return tables;
}

const KernelTable& kernels_named(std::string_view name) {
  if (name == "cpu") return cpu::table();
  check(name == "emu" || name == "cuda", "--backend: found '{}', expected cpu, emu or cuda", name);
  check(name != "emu" || find_gpu_backend(name) != nullptr,
        "--backend emu: this build has no emulator (GLIA_EMU=OFF); ./lab.sh builds one, and "
        "--backend cpu needs none");
  check(find_gpu_backend(name) != nullptr,
        "--backend cuda: this build has no CUDA kernels (docs/cuda.md builds them); --backend emu "
        "runs the same kernels without a GPU");
  for (const GpuBackend* backend : gpu_backends())
    if (backend->kernels->name == name) return *backend->kernels;
  fail(
      "--backend cuda: found no GPU that can be used (glia doctor says why); --backend emu runs "
      "the same kernels without one");
}

std::shared_ptr<GuardedAllocator> guarded_memory(const KernelTable& kernels) {
  return std::make_shared<GuardedAllocator>(opened(kernels));
}

bool is_threaded(const KernelTable& kernels) {
  return opened(kernels)->on_host();
}

bool splits_sums_by_threads(const KernelTable& kernels) {
  return find_cpu_backend(kernels.name) != nullptr;
}

}  // namespace glia::test
