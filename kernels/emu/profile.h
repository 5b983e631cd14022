// Counts, a source line, what a GPU would do for the accesses that the race checker sees: shared
// memory wavefronts (bank conflicts) and 32-byte sectors of device memory.
//
// Lanes run one after another here, so the n-th time that each lane of a warp comes to a place
// between two barriers counts as one instruction of the warp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/emu/block.h"

namespace glia::emu::profile {

/// `bytes`: 1, 2, 4, 8 or 16, what one instruction of a lane can move.
void record(const Thread& thread, const void* address, std::size_t bytes, bool shared,
            std::uint32_t place);
/// One 8x8 matrix of an ldmatrix: the 16-byte rows that eight lanes point at, in one phase.
void record_matrix(const void* const rows[8], std::uint32_t place);
/// All threads of the block are at the same point: what was recorded becomes counts.
void end_interval();

/// Lines with any access, the worst waste first: instructions, wavefronts or sectors, the least
/// that would do, and their ratio.
std::string table();
void clear();

}  // namespace glia::emu::profile
