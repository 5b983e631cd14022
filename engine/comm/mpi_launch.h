// Which MPI started this process, by what it left in the environment.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace glia {

/// An MPI that Glia knows.
struct MpiProduct {
  const char* name;      // "Open MPI"
  const char* module;    // the file of its module
  const char* packages;  // Debian's, to build the module
  const char* command;   // Debian's, that starts ranks
};
const std::vector<MpiProduct>& mpi_products();

struct MpiLaunch {
  /// Null where none of its signs was left, as by srun without --mpi.
  const MpiProduct* product = nullptr;
  /// "mpirun (OMPI_COMM_WORLD_SIZE=4)".
  std::string started_by;
  /// How many ranks were started; 0 where the environment does not say.
  int ranks = 0;
};

/// Nothing where this process was started alone: by hand, or as the only rank.
std::optional<MpiLaunch> started_by_mpi();

}  // namespace glia
