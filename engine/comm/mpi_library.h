// The modules of this build, one an MPI, and which of them can be loaded here.
#pragma once

#include <string>

#include "engine/comm/mpi_launch.h"
#include "engine/comm/mpi_module/mpi_module.h"

namespace glia {

/// Loads the module of what started us, for as long as the process lives. Throws `Error` where this
/// build has none for it, or where the MPI itself is not installed.
const GliaMpi& load_mpi(const MpiLaunch& launch);

/// Its file, from beside the program or from the build; empty where this build has none.
std::string mpi_module_file(const MpiProduct& product);

/// "Open MPI v4.1.4 (…)" by loading it, or why it cannot be used.
std::string describe_mpi(const MpiProduct& product);

}  // namespace glia
