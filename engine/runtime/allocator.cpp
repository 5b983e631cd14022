#include "engine/runtime/allocator.h"

#include <algorithm>
#include <array>

#include "engine/base/bytes.h"
#include "engine/base/check.h"

namespace glia {

namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kGuard = 256;  // keeps the alignment of a GPU's memory
constexpr unsigned char kGuardByte = 0xA5;

}  // namespace

void AllocatorAdaptor::copy_in(void* to, const void* from_host, std::size_t bytes) {
  source_->copy_in(to, from_host, bytes);
}
void AllocatorAdaptor::copy_out(void* to_host, const void* from, std::size_t bytes) {
  source_->copy_out(to_host, from, bytes);
}
void AllocatorAdaptor::copy_in_beside(void* to, const void* from_host, std::size_t bytes) {
  source_->copy_in_beside(to, from_host, bytes);
}
void AllocatorAdaptor::fill(void* to, unsigned char value, std::size_t bytes) {
  source_->fill(to, value, bytes);
}

std::unique_ptr<Graph> AllocatorAdaptor::capture(const std::function<void()>& work) {
  return source_->capture(work);
}

CachingAllocator::~CachingAllocator() {
  give_back(free_);
}

void CachingAllocator::give_back(Blocks& blocks) {
  for (auto& [size, data] : blocks) source_->release(data, size);
  blocks.clear();
}

std::pair<std::size_t, void*> CachingAllocator::take(Blocks& blocks, std::size_t bytes) {
  auto it = blocks.lower_bound(bytes);
  if (it == blocks.end() || it->first > bytes + bytes / 7) return {0, nullptr};
  const auto block = *it;
  blocks.erase(it);
  return block;
}

void* CachingAllocator::request(std::size_t bytes) {
  if (capturing_)
    throw CaptureNeedsMemory(
        fmt::format("capture: {} bytes are needed that the steps before did not need", bytes));
  ++system_requests_;
  try {
    return source_->allocate(bytes);
  } catch (const OutOfMemory&) {
    give_back(free_);
    return source_->allocate(bytes);
  }
}

void* CachingAllocator::allocate(std::size_t bytes) {
  bytes = round_up(bytes ? bytes : 1, kAlignment);
  std::lock_guard lock(mutex_);
  std::pair<std::size_t, void*> block{0, nullptr};
  // In a capture the same sizes as without one: the smallest block that serves, wherever it lies.
  const auto kept = free_.lower_bound(bytes), aside = captured_.lower_bound(bytes);
  const bool own = capturing_ && aside != captured_.end() &&
                   (kept == free_.end() || aside->first <= kept->first);
  block = take(own ? captured_ : free_, bytes);
  if (!block.second) block = {bytes, request(bytes)};
  const auto [capacity, data] = block;
  sizes_[data] = capacity;
  live_ += capacity;
  peak_ = std::max(peak_, live_);
  return data;
}

void CachingAllocator::release(void* data, std::size_t) {
  std::lock_guard lock(mutex_);
  auto it = sizes_.find(data);
  live_ -= it->second;
  (capturing_ ? captured_ : free_).emplace(it->second, data);
  sizes_.erase(it);
}

void CachingAllocator::set_capturing(bool capturing) {
  std::lock_guard lock(mutex_);
  capturing_ = capturing;
}

/// A graph of the source, and the memory that only its replays use.
class CachingAllocator::Recording : public Graph {
 public:
  Recording(std::unique_ptr<Graph> graph, CachingAllocator& allocator, Blocks blocks)
      : graph_(std::move(graph)), allocator_(allocator), blocks_(std::move(blocks)) {}
  ~Recording() override {
    graph_.reset();
    allocator_.adopt(blocks_);
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  void replay() override { graph_->replay(); }

 private:
  std::unique_ptr<Graph> graph_;
  CachingAllocator& allocator_;
  Blocks blocks_;
};

void CachingAllocator::adopt(Blocks& blocks) {
  std::lock_guard lock(mutex_);
  free_.merge(blocks);
}

std::unique_ptr<Graph> CachingAllocator::capture(const std::function<void()>& work) {
  set_capturing(true);
  try {
    auto graph = source_->capture(work);
    set_capturing(false);
    return std::make_unique<Recording>(std::move(graph), *this, std::exchange(captured_, {}));
  } catch (...) {
    set_capturing(false);
    adopt(captured_);
    throw;
  }
}

void* GuardedAllocator::allocate(std::size_t bytes) {
  auto* block = static_cast<unsigned char*>(source_->allocate(bytes + 2 * kGuard));
  source_->fill(block, kGuardByte, kGuard);
  source_->fill(block + kGuard, 0xFF, bytes);
  source_->fill(block + kGuard + bytes, kGuardByte, kGuard);
  live_[block + kGuard] = bytes;
  return block + kGuard;
}

bool GuardedAllocator::intact(void* data, std::size_t bytes) {
  auto* block = static_cast<unsigned char*>(data) - kGuard;
  std::array<unsigned char, kGuard> before, after;
  source_->copy_out(before.data(), block, kGuard);
  source_->copy_out(after.data(), block + kGuard + bytes, kGuard);
  const auto is_guard = [](unsigned char byte) { return byte == kGuardByte; };
  return std::all_of(before.begin(), before.end(), is_guard) &&
         std::all_of(after.begin(), after.end(), is_guard);
}

void GuardedAllocator::release(void* data, std::size_t bytes) {
  violations_ += !intact(data, bytes);
  live_.erase(data);
  source_->release(static_cast<unsigned char*>(data) - kGuard, bytes + 2 * kGuard);
}

int GuardedAllocator::violations() {
  int count = violations_;
  for (const auto& [data, bytes] : live_) count += !intact(data, bytes);
  return count;
}

}  // namespace glia
