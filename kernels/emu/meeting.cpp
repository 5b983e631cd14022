// Where threads wait for each other: warp-wide instructions and the block's barrier.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/emu/block_state.h"
#include "kernels/emu/profile.h"
#include "kernels/emu/race.h"

namespace glia::emu {
namespace {

bool same(const char* a, const char* b) {
  return a == b || std::strcmp(a, b) == 0;
}
bool same(Site a, Site b) {
  return a.line == b.line && same(a.file, b.file);
}

}  // namespace

void meet(std::uint32_t mask, const char* operation, Site at, void* slot, Perform perform,
          bool orders) {
  Thread& me = *current();
  Warp& warp = warp_of(me);
  const std::uint32_t mine = 1u << (me.id % kWarp);
  const auto diverges = [&](const std::string& how) {
    abort_launch(fmt::format("divergence: {} at {} with mask {:#010x} by {}: {}", operation,
                             site_name(at), mask, current_name(), how));
  };
  if (!(mask & mine)) diverges("the mask does not name the thread itself");
  if (const std::uint32_t missing = mask & ~warp.unfinished)
    diverges(fmt::format("lane {} is not there: it has returned, or the block has no such thread",
                         std::countr_zero(missing)));
  // A meeting that waits for this lane must be this one. Meetings without it are others' business:
  // their lanes come here later.
  auto found = std::find_if(warp.meetings.begin(), warp.meetings.end(),
                            [&](const Meeting& m) { return m.mask & mine; });
  if (found == warp.meetings.end()) {
    warp.meetings.push_back({mask, 0, operation, at, {}});
    found = warp.meetings.end() - 1;
  } else if (found->mask != mask || !same(found->operation, operation) || !same(found->site, at)) {
    diverges(fmt::format("lane {} waits in {} at {} with mask {:#010x}",
                         std::countr_zero(found->arrived), found->operation, site_name(found->site),
                         found->mask));
  }
  found->arrived |= mine;
  found->slots[me.id % kWarp] = slot;
  if (found->arrived != mask) {
    wait(operation, at);
    return;
  }
  const Meeting meeting = *found;
  warp.meetings.erase(found);
  if (perform) perform(meeting.slots, mask);
  if (orders) race::order_warp(me.id / kWarp, mask);
  for (std::uint32_t others = mask & ~mine; others; others &= others - 1)
    wake(thread(me.id / kWarp * kWarp + std::countr_zero(others)));
  // The last to come takes its place in the queue like the others.
  push_ready(me);
  dispatch(me.fiber);
}

int block_barrier(Vote vote, int predicate, Site at) {
  Block& b = g_block;
  Thread& me = *current();
  if (b.arrived == 0) {
    b.vote = vote;
    b.barrier_site = at;
    b.votes = 0;
  } else if (b.vote != vote || !same(b.barrier_site, at)) {
    abort_launch(
        fmt::format("divergence: {} came to the barrier at {} while others wait at the one "
                    "at {}",
                    current_name(), site_name(at), site_name(b.barrier_site)));
  }
  b.votes += predicate != 0;
  if (++b.arrived < b.count) {
    wait("__syncthreads", at);
    return me.barrier_result;
  }
  const int result = vote == Vote::count ? b.votes
                     : vote == Vote::all ? b.votes == b.count
                                         : b.votes > 0;
  b.arrived = 0;
  race::order_block();
  if (options().profile) profile::end_interval();
  for (int i = 0; i < b.count; ++i) {
    thread(i).barrier_result = result;
    if (i != me.id) wake(thread(i));
  }
  push_ready(me);
  dispatch(me.fiber);
  return result;
}

}  // namespace glia::emu
