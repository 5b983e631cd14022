#include "kernels/api/memory.h"

#include <sys/mman.h>

#include <bit>
#include <cstdlib>
#include <cstring>

#include "engine/base/bytes.h"
#include "engine/base/check.h"

namespace glia {

namespace {

constexpr std::size_t kAlignment = 64;

void* system_allocate(std::size_t bytes) {
  const bool large = bytes >= kHugePage;
  const std::size_t alignment = large ? kHugePage : kAlignment;
  void* data = std::aligned_alloc(alignment, round_up(bytes ? bytes : 1, alignment));
  if (data == nullptr)
    throw OutOfMemory(fmt::format("out of memory: the system refused {:.1f} MiB", mib(bytes)));
  if (large)
    madvise(data, bytes, MADV_HUGEPAGE);  // advice only: a refusal changes nothing but speed
  return data;
}

/// Of a device that has done what was queued: its memory is read at once.
class HostReadback : public Readback {
 public:
  HostReadback(Allocator& memory, std::size_t bytes) : memory_(memory), bytes_(bytes) {}
  void start(std::span<const DeviceBytes> parts) override {
    std::size_t place = 0;
    for (const DeviceBytes& part : parts) {
      memory_.copy_out(bytes_.data() + place, part.data, part.count);
      place += part.count;
    }
  }
  void wait() override {}
  const std::byte* data() const override { return bytes_.data(); }

 private:
  Allocator& memory_;
  std::vector<std::byte> bytes_;
};

}  // namespace

std::unique_ptr<Readback> Allocator::make_readback(std::size_t bytes) {
  return std::make_unique<HostReadback>(*this, bytes);
}

void Allocator::copy_in(void* to, const void* from_host, std::size_t bytes) {
  std::memcpy(to, from_host, bytes);
}
void Allocator::copy_out(void* to_host, const void* from, std::size_t bytes) {
  std::memcpy(to_host, from, bytes);
}
void Allocator::fill(void* to, unsigned char value, std::size_t bytes) {
  std::memset(to, value, bytes);
}

std::unique_ptr<Graph> Allocator::capture(const std::function<void()>&) {
  fail("capture: this device cannot record its work");
}

void* SystemAllocator::allocate(std::size_t bytes) {
  return system_allocate(bytes);
}
void SystemAllocator::release(void* data, std::size_t) {
  std::free(data);
}

Workspace::~Workspace() {
  if (!source_) {
    std::free(data_);
    return;
  }
  for (const auto& [data, size] : outgrown_) source_->release(data, size);
  if (data_) source_->release(data_, size_);
}

void* Workspace::reserve(std::size_t bytes) {
  if (bytes <= size_) return data_;
  if (source_ && keeps_) {
    bytes = std::bit_ceil(bytes);  // so that all outgrown blocks are smaller than the last
    if (data_) outgrown_.emplace_back(data_, size_);
  } else if (source_) {
    finish_call();
  } else {
    std::free(data_);
  }
  data_ = nullptr;
  size_ = 0;
  data_ = source_ ? source_->allocate(bytes) : system_allocate(bytes);
  size_ = bytes;
  return data_;
}

void Workspace::finish_call() {
  if (keeps_ || data_ == nullptr) return;
  source_->release(data_, size_);
  data_ = nullptr;
  size_ = 0;
}

}  // namespace glia
