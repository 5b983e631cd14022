// What devices of several ranks give each other: dense memory of theirs, by way of the host where
// it lies elsewhere.
#pragma once

#include "engine/runtime/device.h"

namespace glia {

/// `all` gets `mine` of each rank, in the order of ranks. Both are dense, of one type, and `all`
/// has as many elements as all ranks have in `mine`; throws `Error` otherwise. The device must have
/// joined ranks.
void gather_ranks(Device& device, const ConstView& mine, const View& all);
/// Each rank's part of `parts` [ranks, n] goes to it; `received` [ranks, n] gets those for this
/// one.
void exchange_ranks(Device& device, const ConstView& parts, const View& received);

}  // namespace glia
