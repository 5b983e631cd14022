// Launches: a grid's blocks one after another, and what went wrong in them.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "engine/base/check.h"
#include "kernels/emu/async.h"
#include "kernels/emu/block_state.h"
#include "kernels/emu/device.h"
#include "kernels/emu/memory.h"
#include "kernels/emu/profile.h"
#include "kernels/emu/race.h"
#include "kernels/emu/sanitizer.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace glia::emu {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kStackBytes = 256 * 1024;  // reports are written on the thread's own stack
#else
constexpr std::size_t kStackBytes = 64 * 1024;
#endif

void set_shared_access(std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(shared_memory(), kSharedRoom);
  __asan_poison_memory_region(shared_memory() + bytes, kSharedRoom - bytes);
#else
  static_cast<void>(bytes);
#endif
}

void run_block(const Launch& launch, std::uint64_t index) {
  Block& b = g_block;
  const dim3 grid = launch.grid;
  blockIdx = {static_cast<unsigned>(index % grid.x), static_cast<unsigned>(index / grid.x % grid.y),
              static_cast<unsigned>(index / grid.x / grid.y)};
  std::memset(shared_memory(), 0xFF, b.shared_bytes);
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

void run(const Launch& launch, void (*body)(void*), void* closure) {
  static std::mutex one_at_a_time;
  check_launch(launch);
  check(!g_block.current, "emu: {}: a kernel cannot launch another", launch.name);
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
  b.device = launch.device;
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
