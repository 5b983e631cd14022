// What operations that couple the images of a batch add up over its ranks (device.ranks()), each of
// which has computed as many rows as the others.
#pragma once

#include "engine/tape/tape.h"

namespace glia::ops {

/// The sum of the rows of `parts` [shards, n] (f64) of every rank, in the order of ranks and then
/// rows, as `fold` adds: [n]. Where there are no ranks, of these alone, whose memory it takes.
Tensor sum_over_ranks(Tape& tape, const Tensor& parts);
/// The moments [2, C] of all ranks' rows from those of each, `rows` of them.
Tensor merge_over_ranks(Tape& tape, const Tensor& moments, std::int64_t rows);

}  // namespace glia::ops
