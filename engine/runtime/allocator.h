// Memory of a device. The caching allocator hands freed blocks out again, so that a steady training
// step asks the system for nothing (page faults alone cost PyTorch a factor 1.6 on a CPU).
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace glia {

class Allocator {
 public:
  virtual ~Allocator() = default;
  /// 64-byte aligned memory with undefined contents. Throws `Error` when there is none.
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* data, std::size_t bytes) = 0;
};

/// Straight from the system, page-aligned in huge pages where the system has them.
class SystemAllocator : public Allocator {
 public:
  void* allocate(std::size_t bytes) override;
  void release(void* data, std::size_t bytes) override;
};

/// Keeps freed blocks by size. A block serves a request of at least 7/8 of its size.
class CachingAllocator : public Allocator {
 public:
  explicit CachingAllocator(std::unique_ptr<Allocator> source) : source_(std::move(source)) {}
  ~CachingAllocator() override;
  void* allocate(std::size_t bytes) override;
  void release(void* data, std::size_t bytes) override;

  /// Bytes that live tensors hold, the largest that was, and the requests that reached the system.
  std::size_t live_bytes() const { return live_; }
  std::size_t peak_bytes() const { return peak_; }
  std::size_t system_requests() const { return system_requests_; }

 private:
  std::unique_ptr<Allocator> source_;
  std::mutex mutex_;
  std::multimap<std::size_t, void*> free_;
  std::map<void*, std::size_t> sizes_;  // capacity of every block handed out
  std::size_t live_ = 0, peak_ = 0, system_requests_ = 0;
};

/// Puts 64 bytes of a known pattern before and after each block, fills new blocks with 0xFF (NaN as
/// a float) and, on release or on demand, reports writes outside. For tests.
class GuardedAllocator : public Allocator {
 public:
  void* allocate(std::size_t bytes) override;
  void release(void* data, std::size_t bytes) override;
  /// Number of blocks, released or live, whose guards were overwritten.
  int violations() const;

 private:
  static bool intact(const void* data, std::size_t bytes);
  std::map<void*, std::size_t> live_;
  int violations_ = 0;
};

}  // namespace glia
