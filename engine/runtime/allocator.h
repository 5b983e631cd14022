// Ways to keep a device's memory (kernels/api/memory.h). The caching allocator hands freed blocks
// out again, so that a steady training step asks the system for nothing (page faults alone cost
// PyTorch a factor 1.6 on a CPU).
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "kernels/api/memory.h"

namespace glia {

/// An allocator that keeps memory of another one in its own way.
class AllocatorAdaptor : public Allocator {
 public:
  explicit AllocatorAdaptor(std::shared_ptr<Allocator> source) : source_(std::move(source)) {}
  void copy_in(void* to, const void* from_host, std::size_t bytes) override;
  void copy_out(void* to_host, const void* from, std::size_t bytes) override;
  void copy_in_beside(void* to, const void* from_host, std::size_t bytes) override;
  void fill(void* to, unsigned char value, std::size_t bytes) override;
  void synchronize() override { source_->synchronize(); }
  void make_current() override { source_->make_current(); }
  void describe(KernelContext& context) const override { source_->describe(context); }
  std::optional<std::size_t> available() const override { return source_->available(); }
  bool on_host() const override { return source_->on_host(); }
  bool can_capture() const override { return source_->can_capture(); }
  std::unique_ptr<Graph> capture(const std::function<void()>& work) override;
  std::unique_ptr<Timer> make_timer() override { return source_->make_timer(); }
  std::string pci_address() const override { return source_->pci_address(); }
  std::unique_ptr<Readback> make_readback(std::size_t bytes) override {
    return source_->make_readback(bytes);
  }
  void log_launches(std::vector<const char*>* names) override { source_->log_launches(names); }

 protected:
  std::shared_ptr<Allocator> source_;
};

/// Work that is captured needs memory that is not kept.
class CaptureNeedsMemory : public Error {
 public:
  using Error::Error;
};

/// Keeps freed blocks by size. A block serves a request of at least 7/8 of its size. When the
/// source has no more, the kept blocks go back to it before the request is tried again.
class CachingAllocator : public AllocatorAdaptor {
 public:
  using AllocatorAdaptor::AllocatorAdaptor;
  ~CachingAllocator() override;
  void* allocate(std::size_t bytes) override;
  void release(void* data, std::size_t bytes) override;

  /// While `work` runs the source is not asked, and what is released goes only to requests of the
  /// same capture: replays use that memory again, so it stays aside until the graph ends, which
  /// must be before the allocator does. Throws `CaptureNeedsMemory` where `work` needs more than is
  /// kept.
  std::unique_ptr<Graph> capture(const std::function<void()>& work) override;

  /// Bytes that live tensors hold, the largest that was, and the requests that reached the system.
  std::size_t live_bytes() const { return live_; }
  std::size_t peak_bytes() const override { return peak_; }
  std::size_t system_requests() const override { return system_requests_; }

 private:
  using Blocks = std::multimap<std::size_t, void*>;
  class Recording;
  /// A block of `blocks` that serves `bytes`, taken out of them; null where there is none.
  static std::pair<std::size_t, void*> take(Blocks& blocks, std::size_t bytes);
  void give_back(Blocks& blocks);
  /// Blocks of a graph that has ended, for everybody.
  void adopt(Blocks& blocks);
  void set_capturing(bool capturing);
  void* request(std::size_t bytes);

  std::mutex mutex_;
  Blocks free_, captured_;
  bool capturing_ = false;
  std::map<void*, std::size_t> sizes_;  // capacity of every block handed out
  std::size_t live_ = 0, peak_ = 0, system_requests_ = 0;
};

/// Puts 256 bytes of a known pattern before and after each block, fills new blocks with 0xFF (NaN
/// as a float) and, on release or on demand, reports writes outside. For tests.
class GuardedAllocator : public AllocatorAdaptor {
 public:
  using AllocatorAdaptor::AllocatorAdaptor;
  void* allocate(std::size_t bytes) override;
  void release(void* data, std::size_t bytes) override;
  /// Number of blocks, released or live, whose guards were overwritten.
  int violations();

 private:
  bool intact(void* data, std::size_t bytes);
  std::map<void*, std::size_t> live_;
  int violations_ = 0;
};

}  // namespace glia
