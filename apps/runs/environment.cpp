#include "apps/runs/environment.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "engine/comm/mpi_library.h"
#include "engine/runtime/cpu_backends.h"
#include "engine/runtime/device.h"
#include "engine/runtime/gpu_backends.h"
#include "engine/runtime/memory_room.h"
#include "engine/runtime/precisions.h"
#include "kernels/cpu/table.h"

namespace glia {

namespace {

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::string memory() {
  const double bytes =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  return fmt::format("{:.1f} GiB", bytes / (1 << 30));
}

/// Limits below the machine's memory; without what is free, so that it is the same from run to run.
std::string memory_limit() {
  std::vector<std::string> texts;
  for (const MemoryLimit& limit : memory_limits())
    if (!limit.device) texts.push_back(limit.str());
  return texts.empty() ? "none" : fmt::format("{}", fmt::join(texts, ", "));
}

std::string version(int number) {
  return number == 0 ? "none" : fmt::format("{}.{}", number / 1000, number % 1000 / 10);
}

/// What CUDA offers here: one entry a GPU with the reason why it cannot be used, if so.
nlohmann::ordered_json describe_gpus(Look look) {
  const GpuBackend* backend = find_gpu_backend("cuda");
  if (!backend)
    return {{"none", "this program was built without CUDA; build it where nvcc is on the PATH"}};
  const GpuSurvey found = backend->survey(look == Look::close ? SurveyOf::all : SurveyOf::names);
  nlohmann::ordered_json result = {{"driver", version(found.driver_version)},
                                   {"runtime", version(found.runtime_version)},
                                   {"built for", found.architectures}};
  if (!found.problem.empty()) result["none"] = found.problem;
  for (std::size_t i = 0; i < found.gpus.size(); ++i) {
    const GpuInfo& gpu = found.gpus[i];
    std::string text =
        fmt::format("{}, {}.{}, {} multiprocessors, {:.1f} GiB", gpu.name, gpu.major, gpu.minor,
                    gpu.multiprocessors, static_cast<double>(gpu.memory) / (1 << 30));
    if (look == Look::close)
      text += fmt::format(", {:.1f} GiB free", static_cast<double>(gpu.free_memory) / (1 << 30));
    if (!gpu.problem.empty()) text += ", cannot be used: " + gpu.problem;
    result[fmt::format("cuda:{}", i)] = text;
  }
  return result;
}

std::string cudnn_version(Look look) {
  const GpuBackend* backend = find_gpu_backend("cudnn");
  if (!backend) return "none: this program was built without it";
  return look == Look::close ? backend->libraries() : "loaded where a device needs it";
}

std::string onednn_version() {
  const CpuBackend* backend = find_cpu_backend("onednn");
  return backend ? backend->library : "none: this program was built without it";
}

/// Each MPI that may start ranks: its own words, or why it cannot.
nlohmann::ordered_json describe_mpis(Look look) {
  nlohmann::ordered_json result;
  for (const MpiProduct& product : mpi_products())
    result[product.name] = look == Look::close || mpi_module_file(product).empty()
                               ? describe_mpi(product)
                               : "loaded where it starts us";
  return result;
}

std::vector<std::string> backends() {
  std::vector<std::string> names{"cpu"};
  if (find_cpu_backend("onednn")) names.push_back("onednn");
  for (const char* name : {"cuda", "cudnn", "emu"})
    if (find_gpu_backend(name)) names.push_back(name);
  return names;
}

std::string describe_bf16() {
  const char* instructions = cpu::bf16_instruction_set();
  if (instructions == nullptr) return "none";
  return fmt::format("{}{}: for convolutions that it makes faster", instructions,
                     cpu::bf16_mostly() ? "" : " without AMX");
}

/// "tf32 (default), fp32": in what the convolutions of each backend can multiply.
nlohmann::ordered_json describe_precisions() {
  nlohmann::ordered_json result;
  for (const std::string& name : backends()) {
    const CpuBackend* library = find_cpu_backend(name);
    const GpuBackend* gpu = find_gpu_backend(name);
    std::string text;
    for (const ConvPrecision precision : precisions_of(library ? *library->kernels
                                                       : gpu   ? *gpu->kernels
                                                               : cpu::table()))
      text += fmt::format("{}{}", text.empty() ? "" : ", ", name_of(precision)) +
              (text.empty() ? " (default)" : "");
    result[name] = text;
  }
  return result;
}

}  // namespace

nlohmann::ordered_json describe_environment(Look look) {
  utsname system{};
  uname(&system);
  return {{"glia", GLIA_VERSION},
          {"build", GLIA_BUILD_TYPE},
          {"compiler", GLIA_COMPILER},
          {"system", fmt::format("{} {} {}", system.sysname, system.release, system.machine)},
          {"cpu", cpu_model()},
          {"instruction set", cpu::instruction_set()},
          {"bf16", describe_bf16()},
          {"cores", available_cores()},
          {"memory", memory()},
          {"memory limit", memory_limit()},
          {"fmt", FMT_VERSION},
          {"json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                               NLOHMANN_JSON_VERSION_PATCH)},
          {"backends", backends()},
          {"precision", describe_precisions()},
          {"onednn", onednn_version()},
          {"gpu", describe_gpus(look)},
          {"cudnn", cudnn_version(look)},
          {"mpi", describe_mpis(look)}};
}

}  // namespace glia
