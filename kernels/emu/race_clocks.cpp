// Who has learnt of what: the clocks of the race checker.
#include <algorithm>

#include "kernels/emu/race_reports.h"
#include "kernels/emu/race_state.h"

namespace glia::emu::race {

bool on = false;
State g_state;

namespace {

void join(Clock& clock, const Clock& other) {
  for (std::size_t i = 0; i < other.size(); ++i) clock[i] = std::max(clock[i], other[i]);
}

std::size_t clock_size() {
  return static_cast<std::size_t>(thread_count()) + 1;
}

}  // namespace

void begin_launch() {
  State& s = g_state;
  s.first_serial = s.serial + 1;
  s.block_indices.clear();
  clear_reports();
}

void begin_block(std::uint64_t block_index) {
  if (!on) return;
  State& s = g_state;
  ++s.serial;
  s.block_indices.push_back(block_index);
  s.tick = s.floor = 1;
  s.clocks.assign(static_cast<std::size_t>(thread_count()), {1, nullptr});
  for (std::size_t i = 0; i < shared_bytes(); i += 4) s.shared.state(i) = 0;
}

void order_block() {
  if (!on) return;
  State& s = g_state;
  s.floor = ++s.tick;
  for (ThreadClock& clock : s.clocks) clock = {s.tick, nullptr};
}

void order_warp(int warp, std::uint32_t mask) {
  if (!on) return;
  State& s = g_state;
  const std::uint32_t now = ++s.tick;
  auto merged = std::make_shared<Clock>(clock_size(), 0u);
  const Clock* last = nullptr;  // the lanes of a warp mostly share one clock: merge it once
  for (int lane = 0; lane < kWarp; ++lane) {
    if (!(mask >> lane & 1)) continue;
    const Clock* known = s.clocks[static_cast<std::size_t>(warp * kWarp + lane)].known.get();
    if (known && known != last) join(*merged, *known);
    last = known ? known : last;
  }
  for (int lane = 0; lane < kWarp; ++lane)
    if (mask >> lane & 1) (*merged)[static_cast<std::size_t>(warp * kWarp + lane)] = now;
  for (int lane = 0; lane < kWarp; ++lane)
    if (mask >> lane & 1) s.clocks[static_cast<std::size_t>(warp * kWarp + lane)] = {now, merged};
}

void release(Clock& clock) {
  if (!on) return;
  State& s = g_state;
  clock.resize(clock_size(), 0);
  ThreadClock& mine = s.clocks[static_cast<std::size_t>(current()->id)];
  if (mine.known) join(clock, *mine.known);
  clock[static_cast<std::size_t>(current()->id)] = mine.epoch = ++s.tick;
}

void release_copies(Clock& clock) {
  if (!on) return;
  clock.resize(clock_size(), 0);
  clock.back() = ++g_state.tick;
}

void acquire(const Clock& clock) {
  if (!on || clock.empty()) return;
  ThreadClock& mine = g_state.clocks[static_cast<std::size_t>(current()->id)];
  auto merged = std::make_shared<Clock>(clock);
  if (mine.known) join(*merged, *mine.known);
  mine.known = std::move(merged);
}

}  // namespace glia::emu::race
