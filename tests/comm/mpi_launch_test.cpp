#include "engine/comm/mpi_launch.h"

#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <map>

#include "engine/base/error.h"
#include "engine/comm/mpi_library.h"
#include "tests/catch.h"

namespace glia::test {

namespace {

using Variables = std::map<std::string, std::string>;

/// The launch that these variables tell of, whatever started the tests.
std::optional<MpiLaunch> launch_of(const Variables& set) {
  Variables before;
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMI_RANK", "PMIX_RANK",
                           "SLURM_STEP_ID", "SLURM_STEP_NUM_TASKS", "SLURM_MPI_TYPE"}) {
    if (const char* value = std::getenv(name)) before[name] = value;
    unsetenv(name);
  }
  for (const auto& [name, value] : set) setenv(name.c_str(), value.c_str(), 1);
  std::optional<MpiLaunch> launch;
  std::exception_ptr thrown;
  try {
    launch = started_by_mpi();
  } catch (...) {
    thrown = std::current_exception();
  }
  for (const auto& [name, value] : set) unsetenv(name.c_str());
  for (const auto& [name, value] : before) setenv(name.c_str(), value.c_str(), 1);
  if (thrown) std::rethrow_exception(thrown);
  return launch;
}

void launched(const Variables& set, const std::string& product, const std::string& by, int ranks) {
  const auto launch = launch_of(set);
  REQUIRE(launch);
  CHECK((launch->product ? launch->product->name : "none") == product);
  CHECK(launch->started_by == by);
  CHECK(launch->ranks == ranks);
}

}  // namespace

TEST_CASE("mpi: what started us is read from the environment") {
  CHECK_FALSE(launch_of({}));
  launched({{"OMPI_COMM_WORLD_SIZE", "4"}, {"PMIX_RANK", "1"}}, "Open MPI",
           "mpirun (OMPI_COMM_WORLD_SIZE=4)", 4);
  launched({{"PMI_SIZE", "2"}, {"PMI_RANK", "0"}}, "MPICH", "mpiexec (PMI_SIZE=2)", 2);
  launched({{"PMIX_RANK", "0"}}, "Open MPI", "mpiexec (PMIX_RANK=0)", 0);

  const Variables step{{"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "8"}};
  const auto with = [&](Variables more) {
    more.insert(step.begin(), step.end());
    return more;
  };
  launched(with({{"PMIX_RANK", "3"}, {"SLURM_MPI_TYPE", "pmix"}}), "Open MPI",
           "srun (PMIX_RANK=3, SLURM_MPI_TYPE=pmix)", 8);
  launched(with({{"PMI_RANK", "3"}, {"PMI_SIZE", "8"}, {"SLURM_MPI_TYPE", "pmi2"}}), "MPICH",
           "srun (PMI_SIZE=8, SLURM_MPI_TYPE=pmi2)", 8);
  launched(step, "none", "srun (SLURM_STEP_NUM_TASKS=8)", 8);
  // mpirun within a batch script is mpirun's.
  launched(with({{"OMPI_COMM_WORLD_SIZE", "4"}}), "Open MPI", "mpirun (OMPI_COMM_WORLD_SIZE=4)", 4);

  CHECK_FALSE(launch_of({{"OMPI_COMM_WORLD_SIZE", "1"}}));
  CHECK_FALSE(
      launch_of({{"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "1"}, {"PMIX_RANK", "0"}}));
}

TEST_CASE("mpi: what is no number of ranks is refused, not taken for one process") {
  const std::pair<const char*, const char*> wrong[] = {
      {"OMPI_COMM_WORLD_SIZE", "abc"}, {"OMPI_COMM_WORLD_SIZE", "2x"}, {"PMI_SIZE", "-3"}};
  for (const auto& [name, value] : wrong)
    CHECK_THROWS_WITH(launch_of({{name, value}}),
                      fmt::format("{}='{}': expected the number of ranks that an MPI has started; "
                                  "unset it where none did",
                                  name, value));
}

TEST_CASE("mpi: an MPI without a module is named, and what to do") {
  const MpiProduct other{"Other MPI", "glia_mpi_other.so", "libother-dev", "mpirun.other"};
  CHECK_THROWS_WITH(
      load_mpi({&other, "mpirun (OTHER_SIZE=2)", 2}),
      StartsWith("MPI: mpirun (OTHER_SIZE=2) of Other MPI started this program, but this build has "
                 "no glia_mpi_other.so (it has ") &&
          ContainsSubstring("install libother-dev and build Glia again"));
  CHECK(describe_mpi(other) == "none: this program was built without it (libother-dev)");
  CHECK_THROWS_WITH(load_mpi({nullptr, "srun (SLURM_STEP_NUM_TASKS=8)", 8}),
                    StartsWith("MPI: srun (SLURM_STEP_NUM_TASKS=8) started 8 tasks, but gave them "
                               "no MPI to find each other; start them with srun --mpi=pmix") &&
                        ContainsSubstring("or as one task"));
}

TEST_CASE("mpi: the modules of this build can be loaded") {
  for (const MpiProduct& product : mpi_products()) {
    if (mpi_module_file(product).empty()) continue;
    CHECK_THAT(describe_mpi(product), StartsWith(product.name));
  }
}

}  // namespace glia::test
