#include "engine/runtime/plugin.h"

#include <dlfcn.h>

#include <algorithm>
#include <deque>
#include <filesystem>

#include "engine/base/check.h"
#include "engine/runtime/gpu_backends.h"

namespace glia {

namespace {

constexpr const char* kEntryPoint = "glia_plugin";
constexpr std::size_t kLongestName = 24;

/// What `algorithm` of the plugin's tables says, of which the process has one.
struct Algorithms {
  std::string name;
  const KernelTable *with = nullptr, *ours = nullptr;
};
Algorithms& algorithms() {
  static Algorithms one;
  return one;
}

const char* algorithm_of(const KernelContext& context, const KernelInfo& kernel,
                         const ConvGeometry& geometry) {
  const Algorithms& known = algorithms();
  if (replaces(*known.with, *known.ours, kernel.id)) return known.name.c_str();
  return known.ours->algorithm ? known.ours->algorithm(context, kernel, geometry) : "";
}

void check_contract(const GliaPlugin& plugin, const std::string& file) {
  check(
      plugin.contract == kContract,
      "--plugin {}: found a contract of kernels {:016x}, expected {:016x}: it was compiled against "
      "headers of another Glia; compile it again with kernels/api of this one",
      file, plugin.contract, kContract);
}

/// Whether a kernel that may be given a map or asked for moments is another one.
bool replaces_mapped(const KernelTable& with, const KernelTable& ours) {
  bool any = false;
  const auto look = [&]<class Args>(Kernel<Args> a, Kernel<Args> b) {
    if constexpr (requires(Args args) { args.x_map; }) any = any || a != b;
  };
#define GLIA_KERNEL(name, Args, op, phase) look.template operator()<Args>(with.name, ours.name);
#include "kernels/api/list.h"
  return any;
}

bool replaces_any(const KernelTable& with, const KernelTable& ours) {
  return std::any_of(std::begin(kKernels), std::end(kKernels),
                     [&](const KernelInfo& kernel) { return replaces(with, ours, kernel.id); });
}

/// A library whose kernels launch on GPUs needs what this program may be built without. Only asks
/// it for whom it is.
void refuse_without_cuda(const std::string& file) {
  if (find_gpu_backend("cuda")) return;
  void* library = dlopen(std::filesystem::absolute(file).c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) return;
  auto* entry = reinterpret_cast<const GliaPlugin* (*)()>(dlsym(library, kEntryPoint));
  const GliaPlugin* plugin = entry ? entry() : nullptr;
  if (plugin == nullptr || plugin->version != kPluginVersion) return;
  check_contract(*plugin, file);
  check(plugin->backend != std::string_view("cuda"),
        "--plugin {}: its kernels are for cuda, and this glia was built without it; use one that "
        "was built where nvcc is",
        file);
}

const GliaPlugin* entry_of(const std::string& file) {
  namespace fs = std::filesystem;
  std::error_code none;
  check(fs::is_regular_file(file, none),
        "--plugin {}: there is no such file; give the path of a shared library "
        "(docs/your-kernel.md)",
        file);
  // A name without a slash would be looked for where the system keeps its libraries.
  void* library = dlopen(fs::absolute(file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const std::string said = dlerror();
    refuse_without_cuda(file);
    fail(
        "--plugin {}: found no shared library that this program can load ({}); compile it with "
        "-shared -fPIC against kernels/api/plugin.h of this Glia (docs/your-kernel.md)",
        file, said);
  }
  auto* entry = reinterpret_cast<const GliaPlugin* (*)()>(dlsym(library, kEntryPoint));
  check(entry != nullptr,
        "--plugin {}: the library has no entry point {}; end its source with GLIA_PLUGIN(\"name\", "
        "install) of kernels/api/plugin.h",
        file, kEntryPoint);
  const GliaPlugin* plugin = entry();
  check(plugin != nullptr,
        "--plugin {}: {}() returned nothing; let GLIA_PLUGIN of kernels/api/plugin.h define it",
        file, kEntryPoint);
  return plugin;
}

}  // namespace

bool replaces(const KernelTable& with, const KernelTable& ours, KernelId kernel) {
  const bool other[] = {
#define GLIA_KERNEL(name, Args, op, phase) with.name != ours.name,
#include "kernels/api/list.h"
  };
  return other[static_cast<std::size_t>(kernel)];
}

const Plugin& load_plugin(const std::string& file) {
  static std::deque<Plugin> loaded;
  for (const Plugin& plugin : loaded)
    if (plugin.file == file) return plugin;
  const GliaPlugin* entry = entry_of(file);
  check(
      entry->version == kPluginVersion,
      "--plugin {}: found version {} of the plugins' contract, expected {}; compile it again with "
      "kernels/api/plugin.h of this Glia",
      file, entry->version, kPluginVersion);
  check_contract(*entry, file);
  check(entry->name && *entry->name && std::string_view(entry->name).size() <= kLongestName &&
            entry->backend && entry->install,
        "--plugin {}: expected a name of 1 to {} characters, a backend and a function install; let "
        "GLIA_PLUGIN of kernels/api/plugin.h define the entry point",
        file, kLongestName);
  return loaded.emplace_back(Plugin{file, printable(entry->name), entry->backend, entry});
}

const KernelTable& with_plugin(const Plugin& plugin, const KernelTable& kernels,
                               const std::string& taken) {
  check(plugin.backend == kernels.name,
        "--plugin {}: its kernels are for {}, and the device is {}; choose {}", plugin.file,
        plugin.backend, taken,
        plugin.backend == "emu"    ? "--backend emu"
        : plugin.backend == "cuda" ? "--device cuda --backend native"
                                   : "--device cpu --backend native");
  static std::deque<KernelTable> tables;
  KernelTable& table = tables.emplace_back(kernels);
  table.in_bf16 = nullptr;
  table.maps = std::min(kernels.maps, Maps::written);
  table.maps_results = table.gives_moments = false;
  table.algorithm = nullptr;
  table.reads_map = nullptr;
  plugin.entry->install(table);
  check(replaces_any(table, kernels),
        "--plugin {}: its install replaces no kernel; let it set entries of the table, such as "
        "table.relu_forward",
        plugin.file);
  if (!replaces_mapped(table, kernels)) table.maps = kernels.maps;
  if (!replaces(table, kernels, KernelId::conv2d_forward)) {
    table.maps_results = kernels.maps_results;
    table.gives_moments = kernels.gives_moments;
    if (!replaces(table, kernels, KernelId::conv2d_wgrad)) table.reads_map = kernels.reads_map;
  }
  if (table.algorithm == nullptr) {
    algorithms() = {plugin.name, &table, &kernels};
    table.algorithm = algorithm_of;
  }
  return table;
}

}  // namespace glia
