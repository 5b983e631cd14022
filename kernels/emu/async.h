// Asynchronous copies and mbarriers. Copies poison their destination when issued and land as late
// as the waits allow: cp.async when its thread waits for its group, bulk copies when nothing else
// in the block can go on.
#pragma once

#include <cstdint>

#include "kernels/emu/site.h"

namespace glia::emu {

/// cp.async: `bytes` (4, 8 or 16) to shared memory, the last `bytes - from_bytes` of them zero.
void cp_async(void* to, const void* from, std::uint32_t bytes, std::uint32_t from_bytes, Site at);
void cp_async_commit();
/// Lands all but the last `pending` committed groups of this thread.
void cp_async_wait(int pending);

/// Names of PTX's mbarrier instructions; `barrier` is eight bytes of shared memory.
void mbarrier_init(void* barrier, std::uint32_t count, Site at);
void mbarrier_arrive(void* barrier, std::uint32_t expect_bytes, Site at);
/// Blocks until the phase of this parity has completed.
void mbarrier_wait(void* barrier, std::uint32_t parity, Site at);
/// cp.async.bulk: `bytes` (a multiple of 16) from device to shared memory, counted by `barrier`.
void bulk_copy(void* to, const void* from, std::uint32_t bytes, void* barrier, Site at);

/// Forgets the previous block's mbarriers and bulk copies.
void begin_block_copies();
/// Lands one bulk copy whose mbarrier somebody waits for; `pick(n)` chooses among n. False when
/// there is none: the block hangs.
bool land_one_bulk_copy(std::uint64_t (*pick)(std::uint64_t));

}  // namespace glia::emu
