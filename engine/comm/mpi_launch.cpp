#include "engine/comm/mpi_launch.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

#include "engine/base/check.h"

namespace glia {

namespace {

constexpr std::size_t kOpenMpi = 0, kMpich = 1;

std::string set_to(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// 0 where `name` is not set. Throws `Error` where it is set to what is no number of ranks.
int count(const char* name) {
  const std::string text = set_to(name);
  int ranks = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ranks);
  check(text.empty() || (error == std::errc() && end == text.data() + text.size() && ranks > 0),
        "{}='{}': expected the number of ranks that an MPI has started; unset it where none did",
        name, text);
  return ranks;
}

std::string with_value(const char* name) {
  return fmt::format("{}={}", name, set_to(name));
}

/// Only srun sets these, for the tasks of a step.
bool by_srun() {
  return !set_to("SLURM_STEP_ID").empty() && count("SLURM_STEP_NUM_TASKS") > 0;
}

MpiLaunch launch_by(const MpiProduct* product, const char* sign, const char* size) {
  const int ranks = size ? count(size) : 0;
  if (!by_srun()) return {product, fmt::format("mpiexec ({})", with_value(sign)), ranks};
  const std::string type = set_to("SLURM_MPI_TYPE");
  return {product,
          fmt::format("srun ({}{})", with_value(sign),
                      type.empty() ? "" : ", " + with_value("SLURM_MPI_TYPE")),
          ranks > 0 ? ranks : count("SLURM_STEP_NUM_TASKS")};
}

std::optional<MpiLaunch> find_launch() {
  const MpiProduct* all = mpi_products().data();
  if (count("OMPI_COMM_WORLD_SIZE") > 0)
    return MpiLaunch{all + kOpenMpi, fmt::format("mpirun ({})", with_value("OMPI_COMM_WORLD_SIZE")),
                     count("OMPI_COMM_WORLD_SIZE")};
  // Hydra, and Slurm's pmi2.
  if (count("PMI_SIZE") > 0) return launch_by(all + kMpich, "PMI_SIZE", "PMI_SIZE");
  if (!set_to("PMI_RANK").empty()) return launch_by(all + kMpich, "PMI_RANK", nullptr);
  if (!set_to("PMIX_RANK").empty()) return launch_by(all + kOpenMpi, "PMIX_RANK", nullptr);
  if (by_srun()) return launch_by(nullptr, "SLURM_STEP_NUM_TASKS", "SLURM_STEP_NUM_TASKS");
  return std::nullopt;
}

}  // namespace

const std::vector<MpiProduct>& mpi_products() {
  static const std::vector<MpiProduct> kProducts{
      {"Open MPI", "glia_mpi_openmpi.so", "libopenmpi-dev openmpi-bin", "mpirun.openmpi"},
      {"MPICH", "glia_mpi_mpich.so", "libmpich-dev mpich", "mpirun.mpich"}};
  return kProducts;
}

std::optional<MpiLaunch> started_by_mpi() {
  std::optional<MpiLaunch> launch = find_launch();
  if (launch && launch->ranks == 1) launch.reset();
  return launch;
}

}  // namespace glia
