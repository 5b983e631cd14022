#include "engine/runtime/allocator.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "engine/base/check.h"
#include "kernels/api/context.h"

namespace glia {

namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kGuard = 64;
constexpr unsigned char kGuardByte = 0xA5;

std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

void* system_allocate(std::size_t bytes) {
  const bool large = bytes >= kHugePage;
  const std::size_t alignment = large ? kHugePage : kAlignment;
  void* data = std::aligned_alloc(alignment, round_up(bytes ? bytes : 1, alignment));
  check(data != nullptr,
        "out of memory: the system refused {:.1f} MiB; use a smaller --batch-size or --base-width",
        static_cast<double>(bytes) / (1 << 20));
  if (large)
    madvise(data, bytes, MADV_HUGEPAGE);  // advice only: a refusal changes nothing but speed
  return data;
}

}  // namespace

void* SystemAllocator::allocate(std::size_t bytes) {
  return system_allocate(bytes);
}
void SystemAllocator::release(void* data, std::size_t) {
  std::free(data);
}

CachingAllocator::~CachingAllocator() {
  for (auto& [size, data] : free_) source_->release(data, size);
}

void* CachingAllocator::allocate(std::size_t bytes) {
  bytes = round_up(bytes ? bytes : 1, kAlignment);
  std::lock_guard lock(mutex_);
  void* data = nullptr;
  std::size_t capacity = bytes;
  auto it = free_.lower_bound(bytes);
  if (it != free_.end() && it->first <= bytes + bytes / 7) {
    capacity = it->first;
    data = it->second;
    free_.erase(it);
  } else {
    data = source_->allocate(bytes);
    ++system_requests_;
  }
  sizes_[data] = capacity;
  live_ += capacity;
  peak_ = std::max(peak_, live_);
  return data;
}

void CachingAllocator::release(void* data, std::size_t) {
  std::lock_guard lock(mutex_);
  auto it = sizes_.find(data);
  live_ -= it->second;
  free_.emplace(it->second, data);
  sizes_.erase(it);
}

void* GuardedAllocator::allocate(std::size_t bytes) {
  auto* block = static_cast<unsigned char*>(system_allocate(bytes + 2 * kGuard));
  std::memset(block, kGuardByte, kGuard);
  std::memset(block + kGuard, 0xFF, bytes);
  std::memset(block + kGuard + bytes, kGuardByte, kGuard);
  live_[block + kGuard] = bytes;
  return block + kGuard;
}

bool GuardedAllocator::intact(const void* data, std::size_t bytes) {
  const auto* p = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < kGuard; ++i)
    if (p[-1 - static_cast<std::ptrdiff_t>(i)] != kGuardByte || p[bytes + i] != kGuardByte)
      return false;
  return true;
}

void GuardedAllocator::release(void* data, std::size_t bytes) {
  violations_ += !intact(data, bytes);
  live_.erase(data);
  std::free(static_cast<unsigned char*>(data) - kGuard);
}

int GuardedAllocator::violations() const {
  int count = violations_;
  for (const auto& [data, bytes] : live_) count += !intact(data, bytes);
  return count;
}

Workspace::~Workspace() {
  std::free(data_);
}

void* Workspace::reserve(std::size_t bytes) {
  if (bytes > size_) {
    std::free(data_);
    data_ = nullptr;
    size_ = 0;
    data_ = system_allocate(bytes);
    size_ = bytes;
  }
  return data_;
}

}  // namespace glia
