// The race checker: CUDA's ordering rules over every access of instrumented kernels.
//
// __syncthreads, __syncwarp and mbarriers order accesses; shuffles do not; blocks of one launch are
// never ordered; atomics do not race with each other. A thread's clock is the number of the last
// ordering event it took part in; an access is ordered before a thread when the thread has learnt
// of a later event of the one that made it (Lamport's happened-before with vector clocks, one floor
// for the whole block standing in for the vectors after each __syncthreads).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/emu/block.h"

namespace glia::emu::race {

/// Set by instrumented objects as the program starts; everything below does nothing without.
extern bool on;

/// What a thread knows: for each thread of the block, the first event it has not learnt of.
using Clock = std::vector<std::uint32_t>;

// How the profile counts an access, when there is one: not at all (the copy engine's), as one
// instruction, or as one for every four bytes.
enum class Count : std::uint8_t { no, once, by_words };
enum class Access : std::uint8_t { read, write, atomic };

/// Checks and records an access of the running thread at `place`. Aborts the launch when it lies
/// outside shared memory, device memory and the thread's own locals.
void access(const void* address, std::size_t bytes, Access kind, std::uint32_t place,
            Count count = Count::once);
void access(const void* address, std::size_t bytes, Access kind, Site at,
            Count count = Count::once);

void begin_launch();
void begin_block(std::uint64_t block_index);
void order_block();
void order_warp(int warp, std::uint32_t mask);
/// Adds to `clock` what the running thread, or for `by_copies` the copy engine, has done so far.
void release(Clock& clock);
void release_copies(Clock& clock);
void acquire(const Clock& clock);

/// Bytes that host code has written.
void mark_written(const void* address, std::size_t bytes);
/// Bytes that an asynchronous copy, issued by the running thread, will write.
void mark_in_flight(const void* address, std::size_t bytes);
/// Initialised bytes of `to` become those of `from` (a device-to-device copy).
void mark_copied(void* to, const void* from, std::size_t bytes);
/// A copy has landed: written by the running thread (cp.async), or by the copy engine.
void landed(const void* address, std::size_t bytes, Site at, bool by_engine);

/// Problems of this launch, one a line with file and line; clears them.
std::string take_reports();

}  // namespace glia::emu::race
