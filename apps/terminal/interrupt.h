// Ctrl-C, termination and a terminal that closes as a question that a loop asks, so that it can
// leave a checkpoint behind.
#pragma once

namespace glia {

/// From now on SIGINT, SIGTERM and, except under nohup, SIGHUP only set a flag; a second one ends
/// the program at once.
void catch_interrupts();
bool interrupted();

}  // namespace glia
