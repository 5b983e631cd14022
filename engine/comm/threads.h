// Ranks that are threads of this process, each with a device of its own.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "engine/comm/communicator.h"

namespace glia {

/// One communicator a rank, each to be used by one thread. A call that waits for longer than
/// `limit` throws. Throws `Error` where `ranks` is not at least 1.
std::vector<std::unique_ptr<Communicator>> make_thread_ranks(int ranks,
                                                             std::chrono::milliseconds limit);

}  // namespace glia
