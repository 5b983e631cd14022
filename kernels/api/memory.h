// Memory of a device as kernels and the engine see it: where it comes from, the way there from the
// host's, and a kernel's scratch memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/error.h"

namespace glia {

struct KernelContext;

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

/// Time by the device's own clock.
class Timer {
 public:
  virtual ~Timer() = default;
  /// From where everything that was queued before has happened. Does not wait for that.
  virtual void start() = 0;
  /// Seconds to where everything that was queued since has happened, which it waits for.
  virtual double stop() = 0;
};

/// Bytes of a device's memory.
struct DeviceBytes {
  const void* data = nullptr;
  std::size_t count = 0;
};

/// A place in the host's memory for a few results, which are read some time after they were asked
/// for: the device goes on meanwhile.
class Readback {
 public:
  virtual ~Readback() = default;
  /// Queues copies of `parts`, one behind the other, as what was queued before leaves them. The
  /// last copies must have been waited for.
  virtual void start(std::span<const DeviceBytes> parts) = 0;
  /// Until the last copies have happened.
  virtual void wait() = 0;
  /// Where they go. Not to be touched between `start` and `wait`.
  virtual const std::byte* data() const = 0;
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
  /// A place for `bytes` of results, which must not outlive this.
  virtual std::unique_ptr<Readback> make_readback(std::size_t bytes);
  /// From now on the names of all kernels that the calling thread launches on any such device, and
  /// "memset", are added to `names`, until the next call; null: to nothing. Of a host's kernels and
  /// of a library's there are none.
  virtual void log_launches(std::vector<const char*>* names) { static_cast<void>(names); }
  /// Makes this the device that what the calling thread queues next is for, where a thread has one
  /// (a GPU); before every kernel, since another device may have been opened in between.
  virtual void make_current() {}
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
  /// Where a GPU is plugged in, "0000:3B:00.0"; empty elsewhere.
  virtual std::string pci_address() const { return {}; }
  /// A clock for what is queued, which must not outlive this; null where the host's is right.
  virtual std::unique_ptr<Timer> make_timer() { return nullptr; }
  /// Whether host code may use the addresses.
  virtual bool on_host() const { return true; }
  /// Whether `capture` can be used.
  virtual bool can_capture() const { return false; }
  /// Records what `work` queues, without running it. `work` must neither copy from or to the host
  /// nor wait. Throws `Error` when it does or when the device cannot record.
  virtual std::unique_ptr<Graph> capture(const std::function<void()>& work);
};

/// Straight from the system, page-aligned in huge pages where the system has them.
class SystemAllocator : public Allocator {
 public:
  void* allocate(std::size_t bytes) override;
  void release(void* data, std::size_t bytes) override;
};

/// Scratch memory of the kernel that runs. It survives from call to call and only grows, so that a
/// steady training step allocates nothing; or, where the source is an arena, it goes back after
/// each call. Contents are undefined at each `reserve`; one kernel at a time uses it.
class Workspace {
 public:
  /// In the host's memory, or in the memory that `source` gives; that must outlive the workspace.
  explicit Workspace(Allocator* source = nullptr, bool keeps = true)
      : source_(source), keeps_(keeps) {}
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace();

  /// At least `bytes` of 64-byte aligned memory (256 on a GPU). Throws `Error` when there is none.
  void* reserve(std::size_t bytes);
  /// The same for an array.
  template <class T>
  T* array(std::int64_t count) {
    return static_cast<T*>(reserve(static_cast<std::size_t>(count) * sizeof(T)));
  }
  /// The kernel that reserved it has returned.
  void finish_call();
  std::size_t size() const { return size_; }

 private:
  Allocator* source_ = nullptr;
  bool keeps_ = true;
  void* data_ = nullptr;
  std::size_t size_ = 0;
  // Smaller blocks of before: recorded graphs may still use them.
  std::vector<std::pair<void*, std::size_t>> outgrown_;
};

}  // namespace glia
