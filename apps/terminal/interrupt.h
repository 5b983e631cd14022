// Ctrl-C and termination as a question that a loop asks, so that it can leave a checkpoint behind.
#pragma once

namespace glia {

/// From now on SIGINT and SIGTERM only set a flag; a second one ends the program at once.
void catch_interrupts();
bool interrupted();

}  // namespace glia
