// A command's work as one rank of those that an MPI has started; or as the only one.
#pragma once

#include <functional>
#include <string>

#include "engine/comm/communicator.h"

namespace CLI {
class App;
}

namespace glia {

/// Calls `work` with this process's rank, or null where no MPI started it. Where a rank fails all
/// end: the first says what happened, others only with their exit status.
void run_process(const std::function<void(Communicator*)>& work);

/// Of a command that shares no work: it throws `Error` where an MPI has started it several times,
/// as each would do all of it.
void allow_one_process(CLI::App& command);

/// Throws `Error` naming the first rank whose `text` is another than that of the first rank: `what`
/// says what differs there, and how to mend it.
void check_same(Communicator& ranks, const std::string& text, const std::string& what);

/// Whether all ranks have the same.
bool is_same(Communicator& ranks, const std::string& text);

/// The threads of this process, of `asked` (0: all cores): where an MPI has not bound it to cores
/// of its own, its share of the machine's.
int threads_of_process(int asked);

}  // namespace glia
