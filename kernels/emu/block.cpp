// The scheduler: threads of one block as fibers, their barriers and meetings, and the launch loop.
#include "kernels/emu/block.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/rng.h"
#include "kernels/emu/async.h"
#include "kernels/emu/device.h"
#include "kernels/emu/emu.h"
#include "kernels/emu/memory.h"
#include "kernels/emu/profile.h"
#include "kernels/emu/race.h"
#include "kernels/emu/sanitizer.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace glia::emu {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kStackBytes = 256 * 1024;  // reports are written on the thread's own stack
#else
constexpr std::size_t kStackBytes = 64 * 1024;
#endif

// Shared memory lies at its strictest alignment (TMA's swizzle) with room after it, so that an
// address just past the end is told apart from other data. On the heap: the race checker takes what
// lies in the program itself for constants.
constexpr std::size_t kSharedRoom = kMaxShared + 1024;
std::byte* const g_shared = static_cast<std::byte*>(std::aligned_alloc(1024, kSharedRoom));

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

Block g_block;

Warp& warp_of(const Thread& thread) {
  return g_block.warps[static_cast<std::size_t>(thread.id / kWarp)];
}

std::uint64_t pick(std::uint64_t bound) {
  return g_block.random.below(bound);
}

void push_ready(Thread& thread) {
  Block& b = g_block;
  b.ready[(b.ready_begin + b.ready_count++) % b.ready.size()] = &thread;
}

Thread* pop_ready() {
  Block& b = g_block;
  const auto at = [&](std::size_t i) -> Thread*& {
    return b.ready[(b.ready_begin + i) % b.ready.size()];
  };
  if (b.schedule == Schedule::random) std::swap(at(b.ready_count - 1), at(pick(b.ready_count)));
  if (b.schedule == Schedule::first_in) {
    Thread* first = at(0);
    b.ready_begin = (b.ready_begin + 1) % b.ready.size();
    --b.ready_count;
    return first;
  }
  return at(--b.ready_count);
}

/// Says where every unfinished thread waits, the places with most threads first.
std::string deadlock_message() {
  Block& b = g_block;
  struct Group {
    int count = 0;
    std::string first;
  };
  std::map<std::string, Group> groups;
  for (int i = 0; i < b.count; ++i) {
    const Thread& t = thread(i);
    Group& group =
        groups[t.done ? "returned from the kernel"
                      : fmt::format("wait for {} at {}", t.waits_for, site_name(t.waits_at))];
    if (group.count++ == 0) group.first = thread_name(i);
  }
  std::string text = fmt::format("deadlock in block ({},{},{}): no thread can go on", blockIdx.x,
                                 blockIdx.y, blockIdx.z);
  for (const auto& [where, group] : groups)
    text +=
        fmt::format("\n    {} threads, the first of them {}, {}", group.count, group.first, where);
  return text;
}

/// Runs another thread, or returns to the host loop when the block has finished or hangs. Returns
/// when `from` is resumed.
void dispatch(Fiber& from) {
  Block& b = g_block;
  while (b.ready_count == 0 && b.unfinished > 0 && land_one_bulk_copy(pick)) {
  }
  if (b.ready_count == 0) {
    if (b.unfinished > 0) b.error = deadlock_message();
    b.current = nullptr;
    Fiber::switch_to(from, b.host);
    return;
  }
  Thread& next = *pop_ready();
  if (&next == b.current) return;
  b.current = &next;
  threadIdx = next.index;
  Fiber::switch_to(from, next.fiber);
}

/// Unwinds the thread that found a mistake; the others are abandoned where they wait.
struct Aborted {};

void thread_main() {
  Fiber::entered();
  Block& b = g_block;
  try {
    b.body(b.closure);
  } catch (const Aborted&) {
    Thread& me = *b.current;
    b.current = nullptr;
    Fiber::switch_to(me.fiber, b.host);
  }
  Thread& me = *b.current;
  me.done = true;
  warp_of(me).unfinished &= ~(1u << (me.id % kWarp));
  --b.unfinished;
  dispatch(me.fiber);
}

bool same(const char* a, const char* b) {
  return a == b || std::strcmp(a, b) == 0;
}
bool same(Site a, Site b) {
  return a.line == b.line && same(a.file, b.file);
}

void set_shared_access(std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(g_shared, kSharedRoom);
  __asan_poison_memory_region(g_shared + bytes, kSharedRoom - bytes);
#else
  static_cast<void>(bytes);
#endif
}

void run_block(const Launch& launch, std::uint64_t index) {
  Block& b = g_block;
  const dim3 grid = launch.grid;
  blockIdx = {static_cast<unsigned>(index % grid.x), static_cast<unsigned>(index / grid.x % grid.y),
              static_cast<unsigned>(index / grid.x / grid.y)};
  std::memset(g_shared, 0xFF, b.shared_bytes);
  b.unfinished = b.count;
  b.arrived = b.votes = 0;
  b.ready_count = 0;
  for (Warp& warp : b.warps) warp = {0, {}};
  begin_block_copies();
  race::begin_block(index);
  for (int i = 0; i < b.count; ++i) {
    Thread& t = thread(i);
    const auto id = static_cast<unsigned>(i);
    t.index = {id % blockDim.x, id / blockDim.x % blockDim.y, id / blockDim.x / blockDim.y};
    t.id = i;
    t.done = false;
    t.waits_for = nullptr;
    warp_of(t).unfinished |= 1u << (i % kWarp);
    t.open.clear();
    t.groups.clear();
    t.fiber.prepare(b.stacks->stack(i), b.stacks->usable_bytes(), thread_main);
    push_ready(t);
  }
  dispatch(b.host);
  b.current = nullptr;
  if (options().profile) profile::end_interval();
}

void check_launch(const Launch& launch) {
  const dim3 g = launch.grid, t = launch.block;
  const std::uint64_t threads = std::uint64_t{t.x} * t.y * t.z;
  check(threads >= 1 && threads <= kMaxThreads && t.z <= 64,
        "emu: {}: a block of ({},{},{}) threads; a GPU takes 1 to {}, at most 64 in z", launch.name,
        t.x, t.y, t.z, kMaxThreads);
  check(g.x >= 1 && g.y >= 1 && g.z >= 1 && g.x <= 0x7FFFFFFFu && g.y <= 65535 && g.z <= 65535,
        "emu: {}: a grid of ({},{},{}) blocks; a GPU takes 1 to 2147483647 in x, 1 to 65535 in y "
        "and z",
        launch.name, g.x, g.y, g.z);
  check(launch.smem_bytes <= kMaxShared,
        "emu: {}: {} bytes of shared memory; a block of sm_90 has at most {}", launch.name,
        launch.smem_bytes, kMaxShared);
  check(!g_block.current, "emu: {}: a kernel cannot launch another", launch.name);
}

const char* schedule_name(Schedule schedule) {
  switch (schedule) {
    case Schedule::first_in: return "first-in";
    case Schedule::last_in: return "last-in";
    case Schedule::random: return "random";
  }
  return "?";
}

[[noreturn]] void fail_launch(const Launch& launch, const std::string& problems) {
  const dim3 g = launch.grid, t = launch.block;
  fail(
      "emu: kernel {} on ({},{},{}) blocks of ({},{},{}) threads{}\n  repeat with "
      "GLIA_EMU_SCHEDULE={} GLIA_EMU_SEED={}",
      launch.name, g.x, g.y, g.z, t.x, t.y, t.z, problems, schedule_name(options().schedule),
      options().seed);
}

}  // namespace

Thread* current() {
  return g_block.current;
}
Thread& thread(int id) {
  return g_block.threads[static_cast<std::size_t>(id)];
}
int thread_count() {
  return g_block.count;
}

void wait(const char* what, Site at) {
  if (has_sanitizer_report()) throw Aborted();
  Thread& me = *current();
  me.waits_for = what;
  me.waits_at = at;
  dispatch(me.fiber);
}

void wake(Thread& t) {
  t.waits_for = nullptr;
  push_ready(t);
}

void abort_launch(const std::string& message) {
  g_block.error = message;
  throw Aborted();
}

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

std::byte* shared_memory() {
  return g_shared;
}
std::size_t shared_bytes() {
  return g_block.shared_bytes;
}

bool in_shared(const void* address, std::size_t bytes) {
  const auto* data = static_cast<const std::byte*>(address);
  return data >= g_shared && data + bytes <= g_shared + g_block.shared_bytes;
}

void* shared_struct(std::size_t bytes, std::size_t alignment, Site at) {
  if (bytes > shared_bytes() || alignment > 1024)
    abort_launch(
        fmt::format("gpu::shared at {}: {} bytes, but the launch asked for {} "
                    "(LaunchConfig::smem_bytes)",
                    site_name(at), bytes, shared_bytes()));
  return g_shared;
}

bool in_stacks(const void* address) {
  const auto* data = static_cast<const std::byte*>(address);
  return data >= g_block.stacks->begin() && data < g_block.stacks->end();
}

bool in_own_stack(const void* address) {
  const auto* data = static_cast<const std::byte*>(address);
  const std::byte* stack = g_block.stacks->stack(current()->id);
  return data >= stack && data < stack + g_block.stacks->usable_bytes();
}

std::string thread_name(int id) {
  const auto i = static_cast<unsigned>(id);
  return fmt::format("({},{},{})", i % blockDim.x, i / blockDim.x % blockDim.y,
                     i / blockDim.x / blockDim.y);
}

std::string current_name() {
  return fmt::format("thread {} of block ({},{},{})", thread_name(current()->id), blockIdx.x,
                     blockIdx.y, blockIdx.z);
}

std::string site_name(Site site) {
  std::string file = site.file;
  const std::string root = GLIA_SOURCE_DIR "/";
  if (file.starts_with(root)) file.erase(0, root.size());
  return fmt::format("{}:{}", file, site.line);
}

void run(const Launch& launch, void (*body)(void*), void* closure) {
  static std::mutex one_at_a_time;
  check_launch(launch);
  const std::lock_guard lock(one_at_a_time);
  Block& b = g_block;
  const memory::Open open;
  if (!b.stacks) {
    b.stacks.emplace(kMaxThreads, kStackBytes);
    b.threads.resize(kMaxThreads);
  }
  b.schedule = options().schedule;
  b.body = body;
  b.closure = closure;
  b.host = Fiber::this_thread();
  b.count = static_cast<int>(launch.block.x * launch.block.y * launch.block.z);
  b.shared_bytes = launch.smem_bytes;
  b.error.clear();
  b.random = Sequence(options().seed, 0x656D75);
  gridDim = launch.grid;
  blockDim = launch.block;
  set_shared_access(launch.smem_bytes);
  race::begin_launch();
  keep_sanitizer_reports();

  std::vector<std::uint64_t> order(std::uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  shuffle(order, b.random);
  for (const std::uint64_t index : order) {
    run_block(launch, index);
    if (!b.error.empty() || has_sanitizer_report()) break;
  }
  std::string problems = race::take_reports();
  if (!b.error.empty()) problems += "\n  " + b.error;
  problems += take_sanitizer_reports();
  if (!problems.empty()) fail_launch(launch, problems);
}

}  // namespace glia::emu
