// One range of memory in which everything that a CPU step holds finds its place. Tensors of
// different sizes share bytes at different times, so that the range is hardly larger than what is
// alive at the fullest moment; blocks kept by size would add up.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>

#include "engine/runtime/allocator.h"

namespace glia {

/// Bytes of memory that this machine has.
std::size_t machine_bytes();

/// Which bytes of a range that grows at its end are taken.
class Gaps {
 public:
  /// The offset of `bytes` free ones: in the smallest gap that holds them, the lowest of equal
  /// ones, or at the end.
  std::size_t take(std::size_t bytes);
  /// Frees the block at `offset` and tells its size.
  std::size_t give_back(std::size_t offset);
  /// The end of the highest block that ever was.
  std::size_t extent() const { return extent_; }

 private:
  std::map<std::size_t, std::size_t> gaps_, taken_;  // offset and size
  std::size_t end_ = 0, extent_ = 0;
};

/// The places of all blocks. Only numbers: a plan runs it without memory and finds the same places
/// as a real step. Small blocks have a range of their own, so that those which outlive a step do
/// not divide what the next step's large ones need.
class ArenaLayout {
 public:
  static constexpr std::size_t kAlignment = 64;
  /// The range of small blocks, before that of large ones.
  static constexpr std::size_t kSmallRange = std::size_t{256} << 20;

  /// The offset of `bytes` free ones, at a multiple of `kAlignment`.
  std::size_t take(std::size_t bytes);
  void give_back(std::size_t offset);

  std::size_t live_bytes() const { return live_; }
  std::size_t peak_live_bytes() const { return peak_live_; }
  std::size_t small_extent() const { return small_.extent(); }
  std::size_t large_extent() const { return large_.extent(); }
  /// What the two ranges must hold.
  std::size_t extent() const { return small_extent() + large_extent(); }

 private:
  Gaps small_, large_;
  std::size_t live_ = 0, peak_live_ = 0;
};

/// Memory of the host laid out by `ArenaLayout`. The range is reserved at the start, as large as
/// the machine's memory, and becomes memory as the layout grows; it is given back when the arena
/// ends.
class ArenaAllocator : public Allocator {
 public:
  ArenaAllocator();
  ~ArenaAllocator() override;
  ArenaAllocator(const ArenaAllocator&) = delete;
  ArenaAllocator& operator=(const ArenaAllocator&) = delete;

  void* allocate(std::size_t bytes) override;
  void release(void* data, std::size_t bytes) override;
  bool keeps_scratch() const override { return false; }
  std::size_t peak_bytes() const override { return layout_.extent(); }
  /// Times that the system was asked for more memory; a steady step does not add to them.
  std::size_t system_requests() const override { return system_requests_; }
  const ArenaLayout& layout() const { return layout_; }

 private:
  void make_usable(std::size_t offset, std::size_t bytes);

  std::mutex mutex_;
  ArenaLayout layout_;
  std::byte* base_ = nullptr;
  std::size_t reserved_ = 0, usable_small_ = 0, usable_large_ = 0, system_requests_ = 0;
};

}  // namespace glia
