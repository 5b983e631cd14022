// A device that computes nothing and keeps no memory, but counts what a real one would hold:
// running a training step on it tells how much that step needs.
#pragma once

#include <cstdint>

#include "engine/runtime/device.h"

namespace glia {

/// Hands out addresses that nobody looks at, none of them twice. They read as zeros.
class NoMemory : public Allocator {
 public:
  void* allocate(std::size_t bytes) override;
  void release(void*, std::size_t) override {}
  void copy_in(void*, const void*, std::size_t) override {}
  void copy_out(void* to_host, const void*, std::size_t bytes) override;
  void fill(void*, unsigned char, std::size_t) override {}
  bool on_host() const override { return false; }

 private:
  static constexpr std::uintptr_t kAlignment = 256;
  std::uintptr_t next_ = kAlignment;
};

/// Its tensors read as zeros.
class PlanDevice : public Device {
 public:
  PlanDevice();
  /// The most bytes that tensors held at one time. What kernels take as scratch memory is not
  /// counted.
  std::size_t peak_bytes() const { return memory_->peak_bytes(); }

 private:
  explicit PlanDevice(std::shared_ptr<CachingAllocator> memory);
  std::shared_ptr<CachingAllocator> memory_;
};

}  // namespace glia
