// A command's work, done by several ranks: threads of this process, each with its share of the
// cores.
#pragma once

#include <functional>

#include "engine/comm/communicator.h"

namespace glia {

/// Calls `work` once a rank, in threads of their own where there are several, with the communicator
/// of that rank; null for a single one. What the first rank to fail threw is thrown again when all
/// have ended; the others are told by their communicators.
void run_ranks(int ranks, const std::function<void(Communicator*)>& work);

}  // namespace glia
