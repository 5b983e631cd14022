// The running block: its threads, where they meet, and its shared memory. Internal to the emulator.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/emu/fiber.h"
#include "kernels/emu/site.h"

namespace glia::emu {

constexpr int kWarp = 32;
constexpr int kMaxThreads = 1024;
constexpr std::size_t kMaxShared = 227 * 1024;  // of any block; `shared_limit` has the device's

/// A copy that a thread has started and that has not landed: `from_bytes` come from `from`, the
/// rest up to `bytes` is zero.
struct AsyncCopy {
  std::byte* to = nullptr;
  const std::byte* from = nullptr;
  std::uint32_t bytes = 0, from_bytes = 0;
  Site site;
};

struct Thread {
  Fiber fiber;
  uint3 index{};
  int id = 0;  // x fastest; warp = id / 32, lane = id % 32
  bool done = false;

  const char* waits_for = nullptr;  // null: runnable or running
  Site waits_at;
  int barrier_result = 0;

  std::vector<AsyncCopy> open;                 // cp.async not yet committed
  std::vector<std::vector<AsyncCopy>> groups;  // committed, oldest first
};

/// What lanes do when the last of them has arrived: operands of lane i in slots[i], null for lanes
/// outside `mask`.
using Perform = void (*)(void* const slots[kWarp], std::uint32_t mask);

/// The thread that runs; null outside kernels.
Thread* current();
Thread& thread(int id);
int thread_count();

/// Waits until every lane of `mask` has come here with the same mask, operation and source line;
/// the last to arrive performs it for all. Anything else is reported as divergence. With `orders`
/// the meeting also orders memory accesses (syncwarp does, shuffles do not).
void meet(std::uint32_t mask, const char* operation, Site at, void* slot, Perform perform,
          bool orders = false);

enum class Vote { none, count, all, any };
/// Waits for every thread of the block. Returns what the vote over `predicate` gives.
int block_barrier(Vote vote, int predicate, Site at);

/// Suspends the running thread until `wake` names it.
void wait(const char* what, Site at);
void wake(Thread& thread);

/// Ends the launch with an error that shows `message`; the block's threads are abandoned.
[[noreturn]] void abort_launch(const std::string& message);

/// Shared memory of the running block; `shared_bytes()` of it exist.
std::byte* shared_memory();
std::size_t shared_bytes();
bool in_shared(const void* address, std::size_t bytes);
/// The device on which the launch runs.
int running_device();
/// `shared_memory()`, after checking that `bytes` fit into what the launch asked for.
void* shared_struct(std::size_t bytes, std::size_t alignment, Site at);

/// Where fiber stacks lie, to tell a thread's locals from memory.
bool in_stacks(const void* address);
bool in_own_stack(const void* address);

/// "(3,0,0)" for thread `id` of blocks of the running launch.
std::string thread_name(int id);
/// "thread (3,0,0) of block (0,1,0)": the running one.
std::string current_name();
/// "tests/emu/kernels/ring.cu:12": relative to the source root.
std::string site_name(Site site);

}  // namespace glia::emu
