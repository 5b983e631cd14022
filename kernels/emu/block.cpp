// The scheduler: threads of one block as fibers, and which of them goes on.
#include "kernels/emu/block.h"

#include <fmt/format.h>

#include <cstdlib>
#include <map>

#include "kernels/emu/async.h"
#include "kernels/emu/block_state.h"
#include "kernels/emu/device.h"
#include "kernels/emu/sanitizer.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace glia::emu {

Block g_block;

namespace {

// At its strictest alignment (TMA's swizzle), on the heap: the race checker takes what lies in the
// program itself for constants.
std::byte* const g_shared = static_cast<std::byte*>(std::aligned_alloc(1024, kSharedRoom));

std::uint64_t pick(std::uint64_t bound) {
  return g_block.random.below(bound);
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

/// Unwinds the thread that found a mistake; the others are abandoned where they wait.
struct Aborted {};

}  // namespace

Warp& warp_of(const Thread& thread) {
  return g_block.warps[static_cast<std::size_t>(thread.id / kWarp)];
}

void push_ready(Thread& thread) {
  Block& b = g_block;
  b.ready[(b.ready_begin + b.ready_count++) % b.ready.size()] = &thread;
}

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

std::byte* shared_memory() {
  return g_shared;
}
std::size_t shared_bytes() {
  return g_block.shared_bytes;
}
int running_device() {
  return g_block.device;
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

}  // namespace glia::emu
