#include "kernels/emu/async.h"

#include <fmt/format.h>

#include <cstring>
#include <map>
#include <vector>

#include "kernels/emu/block.h"
#include "kernels/emu/memory.h"
#include "kernels/emu/race.h"

namespace glia::emu {
namespace {

struct Mbarrier {
  std::uint32_t count = 0;    // arrivals a phase
  std::uint32_t pending = 0;  // arrivals that this phase still lacks
  std::int64_t bytes = 0;     // that copies still owe this phase
  std::uint32_t parity = 0;   // of the phase that is not complete
  std::vector<Thread*> waiters;
  race::Clock gathered, completed;  // what arrivals released; what waits acquire
};

struct BulkCopy {
  AsyncCopy copy;
  Mbarrier* barrier = nullptr;
};

// A map: addresses of its values stay.
std::map<const void*, Mbarrier>& barriers() {
  static std::map<const void*, Mbarrier> all;
  return all;
}

std::vector<BulkCopy>& bulk_copies() {
  static std::vector<BulkCopy> all;
  return all;
}

bool aligned(const void* address, std::uint32_t bytes) {
  return reinterpret_cast<std::uintptr_t>(address) % bytes == 0;
}

void check_copy(const char* name, const AsyncCopy& copy, std::uint32_t alignment) {
  if (!aligned(copy.to, alignment) || !aligned(copy.from, alignment))
    abort_launch(fmt::format("{} of {} bytes at {}: both addresses must be multiples of {}", name,
                             copy.bytes, site_name(copy.site), alignment));
  if (!in_shared(copy.to, copy.bytes))
    abort_launch(fmt::format("{} at {}: the destination is outside shared memory", name,
                             site_name(copy.site)));
  if (copy.from_bytes && !memory::holds(copy.from, copy.from_bytes))
    abort_launch(
        fmt::format("out of bounds: {} at {} by {} reads {} bytes outside every "
                    "device allocation",
                    name, site_name(copy.site), current_name(), copy.from_bytes));
}

void issue(const AsyncCopy& copy, race::Count count) {
  if (copy.from_bytes)
    race::access(copy.from, copy.from_bytes, race::Access::read, copy.site, count);
  race::access(copy.to, copy.bytes, race::Access::write, copy.site, count);
  race::mark_in_flight(copy.to, copy.bytes);
  std::memset(copy.to, 0xFF, copy.bytes);
}

void land(const AsyncCopy& copy, bool by_engine) {
  if (copy.from_bytes) std::memcpy(copy.to, copy.from, copy.from_bytes);
  std::memset(copy.to + copy.from_bytes, 0, copy.bytes - copy.from_bytes);
  race::landed(copy.to, copy.bytes, copy.site, by_engine);
}

Mbarrier& find(void* barrier, const char* operation, Site at) {
  race::access(barrier, 8, race::Access::atomic, at);
  const auto found = barriers().find(barrier);
  if (found == barriers().end())
    abort_launch(fmt::format("{} at {} by {}: no mbarrier was initialised at this address",
                             operation, site_name(at), current_name()));
  return found->second;
}

void complete_if_due(Mbarrier& barrier) {
  if (barrier.pending != 0 || barrier.bytes != 0) return;
  barrier.parity ^= 1;
  barrier.pending = barrier.count;
  barrier.completed = barrier.gathered;
  for (Thread* waiter : barrier.waiters) wake(*waiter);
  barrier.waiters.clear();
}

}  // namespace

void cp_async(void* to, const void* from, std::uint32_t bytes, std::uint32_t from_bytes, Site at) {
  const AsyncCopy copy{static_cast<std::byte*>(to), static_cast<const std::byte*>(from), bytes,
                       from_bytes, at};
  check_copy("cp.async", copy, bytes);
  issue(copy, race::Count::once);
  current()->open.push_back(copy);
}

void cp_async_commit() {
  Thread& me = *current();
  me.groups.push_back(std::move(me.open));
  me.open.clear();
}

void cp_async_wait(int pending) {
  auto& groups = current()->groups;
  const auto keep = static_cast<std::size_t>(pending);
  if (groups.size() <= keep) return;
  const auto last = groups.end() - static_cast<std::ptrdiff_t>(keep);
  for (auto group = groups.begin(); group != last; ++group)
    for (const AsyncCopy& copy : *group) land(copy, false);
  groups.erase(groups.begin(), last);
}

void mbarrier_init(void* barrier, std::uint32_t count, Site at) {
  if (!in_shared(barrier, 8) || !aligned(barrier, 8))
    abort_launch(
        fmt::format("mbarrier.init at {}: needs 8 aligned bytes of shared memory", site_name(at)));
  if (count == 0)
    abort_launch(fmt::format("mbarrier.init at {}: a count of 0 arrivals", site_name(at)));
  race::access(barrier, 8, race::Access::write, at);
  Mbarrier& state = barriers()[barrier];
  if (!state.waiters.empty())
    abort_launch(fmt::format("mbarrier.init at {}: thread {} is waiting for this mbarrier",
                             site_name(at), thread_name(state.waiters[0]->id)));
  state = {};
  state.count = state.pending = count;
}

void mbarrier_arrive(void* barrier, std::uint32_t expect_bytes, Site at) {
  Mbarrier& state = find(barrier, "mbarrier.arrive", at);
  if (state.pending == 0)
    abort_launch(
        fmt::format("mbarrier.arrive at {} by {}: all {} arrivals of this phase "
                    "have happened",
                    site_name(at), current_name(), state.count));
  race::release(state.gathered);
  state.bytes += expect_bytes;
  --state.pending;
  complete_if_due(state);
}

void mbarrier_wait(void* barrier, std::uint32_t parity, Site at) {
  Mbarrier& state = find(barrier, "mbarrier.wait", at);
  if (parity > 1)
    abort_launch(fmt::format("mbarrier.wait at {}: a parity of {}", site_name(at), parity));
  // A phase that completes twice before this thread runs again would look incomplete: hence a loop,
  // as on hardware.
  while (state.parity == parity) {
    state.waiters.push_back(current());
    wait("an mbarrier", at);
  }
  race::acquire(state.completed);
}

void bulk_copy(void* to, const void* from, std::uint32_t bytes, void* barrier, Site at) {
  const AsyncCopy copy{static_cast<std::byte*>(to), static_cast<const std::byte*>(from), bytes,
                       bytes, at};
  if (bytes == 0 || bytes % 16 != 0)
    abort_launch(
        fmt::format("cp.async.bulk at {}: {} bytes, not a multiple of 16", site_name(at), bytes));
  check_copy("cp.async.bulk", copy, 16);
  Mbarrier& state = find(barrier, "cp.async.bulk", at);
  issue(copy, race::Count::no);
  bulk_copies().push_back({copy, &state});
}

void begin_block_copies() {
  barriers().clear();
  bulk_copies().clear();
}

bool land_one_bulk_copy(std::uint64_t (*pick)(std::uint64_t)) {
  std::vector<std::size_t> awaited;
  for (std::size_t i = 0; i < bulk_copies().size(); ++i)
    if (!bulk_copies()[i].barrier->waiters.empty()) awaited.push_back(i);
  if (awaited.empty()) return false;
  const std::size_t chosen = awaited[pick(awaited.size())];
  const BulkCopy bulk = bulk_copies()[chosen];
  bulk_copies().erase(bulk_copies().begin() + static_cast<std::ptrdiff_t>(chosen));
  land(bulk.copy, true);
  race::release_copies(bulk.barrier->gathered);
  bulk.barrier->bytes -= bulk.copy.bytes;
  complete_if_due(*bulk.barrier);
  return true;
}

}  // namespace glia::emu
