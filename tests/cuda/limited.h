// A GPU with little memory.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/runtime/allocator.h"

namespace glia::test {

/// Refuses what would be more than `limit` bytes at once.
class Limited : public AllocatorAdaptor {
 public:
  Limited(std::unique_ptr<Allocator> source, std::size_t limit)
      : AllocatorAdaptor(std::move(source)), limit_(limit) {}

  void* allocate(std::size_t bytes) override {
    if (bytes > limit_ - held_) throw OutOfMemory("out of memory: the test's limit");
    void* data = source_->allocate(bytes);
    held_ += bytes;
    most_ = std::max(most_, held_);
    return data;
  }
  void release(void* data, std::size_t bytes) override {
    held_ -= bytes;
    source_->release(data, bytes);
  }
  std::size_t most() const { return most_; }

 private:
  std::size_t limit_, held_ = 0, most_ = 0;
};

}  // namespace glia::test
