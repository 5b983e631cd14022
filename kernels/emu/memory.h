// Emulated device memory: allocations, poison (0xFF: NaN in every floating-point format), and the
// shadow that the race checker keeps for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/emu/order.h"
#include "kernels/emu/shadow.h"

namespace glia::emu::memory {

struct Span {
  const std::byte *begin = nullptr, *end = nullptr;
};

struct Allocation {
  std::byte* data = nullptr;
  std::size_t bytes = 0;
  bool host = false;  // page-locked host memory, which kernels may use too
  int device = 0;     // on which it lies
  Shadow shadow;      // empty unless the race checker is on

  std::vector<Access> accesses;  // by queued works, for order.h
  Span reads, writes;            // by the kernel that runs
};

/// Memory poisoned with 0xFF, or null when the device's limit of `options().memory` is reached.
/// That of the host takes whole pages.
void* allocate(std::size_t bytes, bool host, int device);
/// False when `data` is not the begin of a live allocation.
bool release(void* data);
/// The allocation that holds `address`, or null.
Allocation* find(const void* address);
/// Whether all of [address, address + bytes) lies in one allocation.
bool holds(const void* address, std::size_t bytes);

std::size_t used_bytes(int device);

/// Under AddressSanitizer host code may not touch device memory outside kernels and copies: device
/// memory is open while one of these lives.
class Open {
 public:
  Open();
  ~Open();
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;
};

}  // namespace glia::emu::memory
