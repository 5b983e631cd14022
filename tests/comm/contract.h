// What every communicator must do, whatever moves the bytes: for ranks that are threads and for
// those that an MPI started (tests/comm/mpi).
#pragma once

#include <string>

#include "engine/comm/communicator.h"

namespace glia::test {

/// Every call, with blocks of no, few and many bytes; all ranks call it. What was wrong on this
/// rank, "" where nothing was.
std::string examine_calls(Communicator& comm);

}  // namespace glia::test
