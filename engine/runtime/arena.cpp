#include "engine/runtime/arena.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/runtime/memory_room.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) \
  (static_cast<void>(address), static_cast<void>(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ASAN_POISON_MEMORY_REGION(address, size)
#endif

namespace glia {

namespace {

constexpr std::size_t kArenaAlignment = ArenaLayout::kAlignment;
constexpr std::size_t kSmallBlock = std::size_t{256} << 10;
constexpr std::size_t kLeastReserved = std::size_t{64} << 20;

}  // namespace

std::size_t machine_bytes() {
  const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  check(pages > 0 && size > 0, "memory: the system does not say how much there is");
  return static_cast<std::size_t>(pages) * static_cast<std::size_t>(size);
}

std::size_t Gaps::take(std::size_t bytes) {
  auto best = gaps_.end();
  for (auto it = gaps_.begin(); it != gaps_.end(); ++it)
    if (it->second >= bytes && (best == gaps_.end() || it->second < best->second)) best = it;
  std::size_t offset = end_;
  if (best != gaps_.end()) {
    const auto [first, size] = *best;
    offset = first;
    gaps_.erase(best);
    if (size > bytes) gaps_[first + bytes] = size - bytes;
  } else {
    end_ += bytes;
    extent_ = std::max(extent_, end_);
  }
  taken_[offset] = bytes;
  return offset;
}

std::size_t Gaps::give_back(std::size_t offset) {
  const auto block = taken_.find(offset);
  const std::size_t bytes = block->second;
  taken_.erase(block);
  std::size_t size = bytes;
  auto next = gaps_.lower_bound(offset);
  if (next != gaps_.end() && next->first == offset + size) {
    size += next->second;
    next = gaps_.erase(next);
  }
  if (next != gaps_.begin())
    if (const auto before = std::prev(next); before->first + before->second == offset) {
      offset = before->first;
      size += before->second;
      gaps_.erase(before);
    }
  if (offset + size == end_)
    end_ = offset;
  else
    gaps_[offset] = size;
  return bytes;
}

std::size_t ArenaLayout::take(std::size_t bytes) {
  bytes = round_up(std::max<std::size_t>(bytes, 1), kArenaAlignment);
  live_ += bytes;
  peak_live_ = std::max(peak_live_, live_);
  const bool small = bytes < kSmallBlock && small_.extent() + bytes <= kSmallRange;
  return small ? small_.take(bytes) : kSmallRange + large_.take(bytes);
}

void ArenaLayout::give_back(std::size_t offset) {
  live_ -= offset < kSmallRange ? small_.give_back(offset) : large_.give_back(offset - kSmallRange);
}

ArenaAllocator::ArenaAllocator() {
  // Addresses cost nothing; a limit on them (ulimit -v) leaves room for a smaller range.
  void* range = MAP_FAILED;
  for (reserved_ = std::min(machine_bytes(), addresses_for_tensors().value_or(SIZE_MAX));
       reserved_ >= kLeastReserved; reserved_ /= 2) {
    reserved_ = round_up(reserved_, kHugePage);
    range = mmap(nullptr, ArenaLayout::kSmallRange + reserved_ + kHugePage, PROT_NONE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range != MAP_FAILED) break;
  }
  if (range == MAP_FAILED)
    fail("the system refused a range of {:.0f} MiB of addresses for tensors{}",
         mib(ArenaLayout::kSmallRange + kLeastReserved),
         addresses_for_tensors() ? "; raise ulimit -v, or lift it (ulimit -v unlimited)" : "");
  auto* first = static_cast<std::byte*>(range);
  reserved_ += ArenaLayout::kSmallRange;
  const std::size_t beyond = reinterpret_cast<std::uintptr_t>(first) % kHugePage;
  base_ = first + (beyond ? kHugePage - beyond : 0);
  if (base_ > first) munmap(first, static_cast<std::size_t>(base_ - first));
  munmap(base_ + reserved_, beyond ? beyond : kHugePage);
  madvise(base_, reserved_, MADV_HUGEPAGE);  // advice only: a refusal changes nothing but speed
}

ArenaAllocator::~ArenaAllocator() {
  ASAN_UNPOISON_MEMORY_REGION(base_, usable_small_);
  ASAN_UNPOISON_MEMORY_REGION(base_ + ArenaLayout::kSmallRange, usable_large_);
  munmap(base_, reserved_);
}

void ArenaAllocator::make_usable(std::size_t offset, std::size_t bytes) {
  const bool small = offset < ArenaLayout::kSmallRange;
  std::size_t& usable = small ? usable_small_ : usable_large_;
  const std::size_t first = small ? 0 : ArenaLayout::kSmallRange;
  const std::size_t needed = round_up(offset - first + bytes, kHugePage);
  if (needed <= usable) return;
  ++system_requests_;
  std::byte* from = base_ + first + usable;
  if (first + needed > reserved_ || mprotect(from, needed - usable, PROT_READ | PROT_WRITE) != 0)
    throw OutOfMemory(fmt::format("out of memory: {:.1f} MiB are needed at once, of at most {:.1f}",
                                  mib(needed), mib(reserved_ - first)));
  ASAN_POISON_MEMORY_REGION(from, needed - usable);
  usable = needed;
}

void* ArenaAllocator::allocate(std::size_t bytes) {
  std::lock_guard lock(mutex_);
  const std::size_t offset = layout_.take(bytes);
  try {
    make_usable(offset, bytes);
  } catch (...) {
    layout_.give_back(offset);
    throw;
  }
  ASAN_UNPOISON_MEMORY_REGION(base_ + offset, bytes);
  return base_ + offset;
}

void ArenaAllocator::release(void* data, std::size_t bytes) {
  std::lock_guard lock(mutex_);
  ASAN_POISON_MEMORY_REGION(data, round_up(std::max<std::size_t>(bytes, 1), kArenaAlignment));
  layout_.give_back(static_cast<std::size_t>(static_cast<std::byte*>(data) - base_));
}

}  // namespace glia
