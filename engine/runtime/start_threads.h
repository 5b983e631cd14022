// Threads of the CPU, started before anything depends on them.
#pragma once

namespace glia {

/// Starts those that a CPU device with `threads` uses. Throws `Error` where a limit has no room for
/// their stacks or number, with a --threads for which it has.
void start_threads(int threads);

}  // namespace glia
