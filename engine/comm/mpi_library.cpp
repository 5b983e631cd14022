#include "engine/comm/mpi_library.h"

#include <dlfcn.h>

#include <algorithm>
#include <filesystem>

#include "engine/base/check.h"

namespace glia {

namespace {

namespace fs = std::filesystem;

const GliaMpi* open_module(const std::string& file, std::string& why) {
  // Not global: two MPIs have functions of the same names.
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* entry = library ? dlsym(library, "glia_mpi") : nullptr;
  if (!entry) {
    why = dlerror();
    return nullptr;
  }
  const GliaMpi* module = reinterpret_cast<decltype(&glia_mpi)>(entry)();
  if (module->version == kGliaMpiVersion) return module;
  why = fmt::format("{} is of another build of Glia", file);
  return nullptr;
}

/// The names of the MPIs that this build has modules for.
std::string have() {
  std::string text;
  for (const MpiProduct& product : mpi_products())
    if (!mpi_module_file(product).empty())
      text += fmt::format("{}{}", text.empty() ? "" : " and ", product.name);
  return text.empty() ? "no MPI" : text;
}

/// "start it with mpirun.openmpi, or ", for those that it has.
std::string other_commands() {
  std::string text;
  for (const MpiProduct& product : mpi_products())
    if (!mpi_module_file(product).empty())
      text += fmt::format("start it with {}, or ", product.command);
  return text;
}

}  // namespace

std::string mpi_module_file(const MpiProduct& product) {
  std::error_code none;
  const fs::path program = fs::read_symlink("/proc/self/exe", none);
  // Installed beside the program, installed where the build was told, and in the build itself.
  for (const fs::path& folder : {program.parent_path() / GLIA_MPI_FROM_PROGRAM,
                                 fs::path(GLIA_MPI_INSTALLED), fs::path(GLIA_MPI_BUILT)})
    if (fs::exists(folder / product.module, none))
      return (folder / product.module).lexically_normal().string();
  return {};
}

const GliaMpi& load_mpi(const MpiLaunch& launch) {
  if (!launch.product)
    fail(
        "MPI: {} started {} tasks, but gave them no MPI to find each other; start them with srun "
        "--mpi=pmix (Open MPI) or srun --mpi=pmi2 (MPICH), or as one task (this build has {})",
        launch.started_by, launch.ranks, have());
  const MpiProduct& product = *launch.product;
  const std::string file = mpi_module_file(product);
  check(!file.empty(),
        "MPI: {} of {} started this program, but this build has no {} (it has {}); {}install {} "
        "and build Glia again",
        launch.started_by, product.name, product.module, have(), other_commands(),
        product.packages);
  std::string why;
  const GliaMpi* module = open_module(file, why);
  check(module != nullptr,
        "MPI: {} of {} started this program, but its module cannot be loaded: "
        "{}; install {}, or build Glia again",
        launch.started_by, product.name, why, product.packages);
  return *module;
}

std::string describe_mpi(const MpiProduct& product) {
  const std::string file = mpi_module_file(product);
  if (file.empty())
    return fmt::format("none: this program was built without it ({})", product.packages);
  std::string why;
  const GliaMpi* module = open_module(file, why);
  if (!module) return fmt::format("cannot be used: {}", why);
  const std::string said = module->library();
  // The first line, as words; Open MPI's goes on with who built it.
  std::string first = said.substr(0, said.find_first_of(",\n"));
  std::replace(first.begin(), first.end(), '\t', ' ');
  return first;
}

}  // namespace glia
