// A rank by itself: what many ranks do, where there is one.
#pragma once

#include "engine/comm/communicator.h"

namespace glia {

/// The only rank of its kind; for tests of what is shared between ranks.
Communicator& alone();

}  // namespace glia
