// Ranks that are processes started by an MPI, on one machine or several. Which MPI is found when
// the program runs (mpi_launch.h); the program is linked to none.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "engine/comm/communicator.h"
#include "engine/comm/mpi_launch.h"

namespace glia {

/// MPI counts in int.
inline constexpr std::size_t kLargestMpiMessage = std::size_t{1} << 30;

/// This process's rank among those that `launch` started; once a process. A call that waits for
/// longer than `limit` throws. No message is longer than `largest` bytes: what is, is cut. Its
/// calls are to be made by one thread at a time. Throws `Error` where MPI cannot be used, or sees
/// another number of ranks than were started: then each would train for itself.
///
/// The end of the process (`exit`, or `main` that returns) waits for the others and ends MPI. With
/// a status other than 0, or after an error, one's own or another rank's, it ends the whole job
/// with status 1 (MPI_Abort), when the others have been told or two seconds have passed.
std::unique_ptr<Communicator> open_mpi(const MpiLaunch& launch, std::chrono::milliseconds limit,
                                       std::size_t largest = kLargestMpiMessage);

}  // namespace glia
