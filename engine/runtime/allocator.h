// Memory of a device, and the way there from the host's. The caching allocator hands freed blocks
// out again, so that a steady training step asks the system for nothing (page faults alone cost
// PyTorch a factor 1.6 on a CPU).
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "kernels/api/context.h"

namespace glia {

/// A device has not the memory that was asked for.
class OutOfMemory : public Error {
 public:
  using Error::Error;
};

/// Work that was recorded instead of done, to be queued as a whole.
class Graph {
 public:
  virtual ~Graph() = default;
  virtual void replay() = 0;
};

class Allocator {
 public:
  virtual ~Allocator() = default;
  /// 64-byte aligned memory with undefined contents. Throws `OutOfMemory` when there is none.
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* data, std::size_t bytes) = 0;

  /// Copies between the host's memory and this, and a fill with one byte value. They come after all
  /// kernels that were queued before; `copy_in` and `copy_out` have finished with the host's bytes
  /// when they return. Here: for memory that is the host's own.
  virtual void copy_in(void* to, const void* from_host, std::size_t bytes);
  virtual void copy_out(void* to_host, const void* from, std::size_t bytes);
  /// As `copy_in`, but it may overtake what was queued before, which must not use `to`; what is
  /// queued from here on sees it. So a copy runs beside kernels.
  virtual void copy_in_beside(void* to, const void* from_host, std::size_t bytes) {
    copy_in(to, from_host, bytes);
  }
  virtual void fill(void* to, unsigned char value, std::size_t bytes);
  /// Waits until everything that was queued has happened.
  virtual void synchronize() {}
  /// Tells kernels where to queue and how large the device is.
  virtual void describe(KernelContext&) const {}
  /// Bytes that could still be allocated; nothing where that is not known.
  virtual std::optional<std::size_t> available() const { return std::nullopt; }
  /// Whether kernels keep their scratch memory from call to call. Where allocating costs next to
  /// nothing they do not, and tensors use those bytes between two calls.
  virtual bool keeps_scratch() const { return true; }
  /// The most bytes that were held at one time, and the requests that reached the system; zeros
  /// where nobody counts.
  virtual std::size_t peak_bytes() const { return 0; }
  virtual std::size_t system_requests() const { return 0; }
  /// Whether host code may use the addresses.
  virtual bool on_host() const { return true; }
  /// Whether `capture` can be used.
  virtual bool can_capture() const { return false; }
  /// Records what `work` queues, without running it. `work` must neither copy from or to the host
  /// nor wait. Throws `Error` when it does or when the device cannot record.
  virtual std::unique_ptr<Graph> capture(const std::function<void()>& work);
};

/// An allocator that keeps memory of another one in its own way.
class AllocatorAdaptor : public Allocator {
 public:
  explicit AllocatorAdaptor(std::unique_ptr<Allocator> source) : source_(std::move(source)) {}
  void copy_in(void* to, const void* from_host, std::size_t bytes) override;
  void copy_out(void* to_host, const void* from, std::size_t bytes) override;
  void copy_in_beside(void* to, const void* from_host, std::size_t bytes) override;
  void fill(void* to, unsigned char value, std::size_t bytes) override;
  void synchronize() override { source_->synchronize(); }
  void describe(KernelContext& context) const override { source_->describe(context); }
  std::optional<std::size_t> available() const override { return source_->available(); }
  bool on_host() const override { return source_->on_host(); }
  bool can_capture() const override { return source_->can_capture(); }
  std::unique_ptr<Graph> capture(const std::function<void()>& work) override;

 protected:
  std::unique_ptr<Allocator> source_;
};

/// Straight from the system, page-aligned in huge pages where the system has them.
class SystemAllocator : public Allocator {
 public:
  void* allocate(std::size_t bytes) override;
  void release(void* data, std::size_t bytes) override;
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
  /// same capture: replays use that memory again, so it stays aside until the allocator ends.
  std::unique_ptr<Graph> capture(const std::function<void()>& work) override;

  /// Bytes that live tensors hold, the largest that was, and the requests that reached the system.
  std::size_t live_bytes() const { return live_; }
  std::size_t peak_bytes() const override { return peak_; }
  std::size_t system_requests() const override { return system_requests_; }

 private:
  using Blocks = std::multimap<std::size_t, void*>;
  /// A block of `blocks` that serves `bytes`, taken out of them; null where there is none.
  static std::pair<std::size_t, void*> take(Blocks& blocks, std::size_t bytes);
  void give_back(Blocks& blocks);
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
