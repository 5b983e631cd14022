// The state of the running block, for the three files that work on it: block.cpp (which thread goes
// on), meeting.cpp (where threads wait for each other), run.cpp (launches).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/rng.h"
#include "kernels/emu/block.h"
#include "kernels/emu/emu.h"

namespace glia::emu {

/// Lanes of a warp on their way to one warp-wide instruction.
struct Meeting {
  std::uint32_t mask = 0, arrived = 0;
  const char* operation = nullptr;
  Site site;
  void* slots[kWarp] = {};
};

struct Warp {
  std::uint32_t unfinished = 0;   // lanes that exist and have not returned
  std::vector<Meeting> meetings;  // of disjoint lanes; mostly one
};

struct Block {
  std::vector<Thread> threads;
  std::array<Warp, kMaxThreads / kWarp> warps;
  std::optional<Stacks> stacks;  // with the first launch
  int count = 0, unfinished = 0;
  std::size_t shared_bytes = 0;
  int device = 0;
  Thread* current = nullptr;
  Fiber host;

  std::array<Thread*, kMaxThreads> ready{};  // a ring
  std::size_t ready_begin = 0, ready_count = 0;

  int arrived = 0, votes = 0;  // at the block's barrier
  Vote vote = Vote::none;
  Site barrier_site;

  Schedule schedule = Schedule::random;
  void (*body)(void*) = nullptr;
  void* closure = nullptr;
  std::string error;
  Sequence random{0, 0};
};

extern Block g_block;

Warp& warp_of(const Thread& thread);

/// Lets a thread go on when its turn comes.
void push_ready(Thread& thread);

/// Runs another thread, or returns to the host loop when the block has finished or hangs. Returns
/// when `from` is resumed.
void dispatch(Fiber& from);

/// What a fiber of the block runs.
void thread_main();

/// Shared memory with room after it, so that an address just past the end is told from other data.
constexpr std::size_t kSharedRoom = kMaxShared + 1024;

}  // namespace glia::emu
