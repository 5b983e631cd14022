// What the race checker knows of the launch that runs: who has learnt of what.
#pragma once

#include <memory>
#include <vector>

#include "kernels/emu/emu.h"
#include "kernels/emu/race.h"
#include "kernels/emu/shadow.h"

namespace glia::emu::race {

struct ThreadClock {
  std::uint32_t epoch = 0;
  std::shared_ptr<const Clock> known;  // null: nothing but the block's floor
};

// Shared memory's cells are valid for one block: their serial number says which.
struct State {
  std::uint32_t serial = 0, first_serial = 1, tick = 0, floor = 0;
  std::vector<std::uint64_t> block_indices;  // of the blocks of this launch, by serial
  std::vector<ThreadClock> clocks;
  Shadow shared{kMaxShared};
};

extern State g_state;

/// Stands for the copy engine where a record names a thread.
inline std::uint16_t engine() {
  return static_cast<std::uint16_t>(thread_count());
}

/// Whether the running thread has not been told of `record`, made in this launch.
inline bool unordered(const Record& record, bool shared) {
  const State& s = g_state;
  if (record.block != s.serial) return !shared && record.block >= s.first_serial;
  const auto me = static_cast<std::uint16_t>(current()->id);
  if (record.thread == me || record.epoch < s.floor) return false;
  const auto& known = s.clocks[me].known;
  return !known || record.epoch >= (*known)[record.thread];
}

/// An access of `thread` now, of no bytes yet.
inline Record record_of(const Thread& thread, std::uint32_t place) {
  const State& s = g_state;
  const auto id = static_cast<std::size_t>(thread.id);
  return {s.serial, s.clocks[id].epoch, place, static_cast<std::uint16_t>(id), 0};
}

}  // namespace glia::emu::race
