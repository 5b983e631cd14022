#include "kernels/emu/memory.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <map>

#include "kernels/emu/devices.h"
#include "kernels/emu/emu.h"
#include "kernels/emu/pinned.h"
#include "kernels/emu/race.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace glia::emu::memory {
namespace {

constexpr std::size_t kAlignment = 256;

using Address = std::uintptr_t;
Address address_of(const void* data) {
  return reinterpret_cast<Address>(data);
}

struct Heap {
  std::map<Address, Allocation> live;
  std::array<Allocation*, 256> recent{};  // by page: most accesses hit here
  std::array<std::size_t, kMaxDevices> used{};
  int open = 0;
};

Heap& heap() {
  static Heap instance;
  return instance;
}

void set_access(const Allocation& allocation, bool allowed) {
#if defined(__SANITIZE_ADDRESS__)
  if (allocation.host) return;
  if (allowed)
    __asan_unpoison_memory_region(allocation.data, allocation.bytes);
  else
    __asan_poison_memory_region(allocation.data, allocation.bytes);
#else
  static_cast<void>(allocation);
  static_cast<void>(allowed);
#endif
}

}  // namespace

void* allocate(std::size_t bytes, bool host, int device) {
  Heap& h = heap();
  std::size_t& used = h.used[static_cast<std::size_t>(device)];
  if (!host && (bytes > options().memory || used + bytes > options().memory)) return nullptr;
  const std::size_t page = host ? pinned::page_bytes() : kAlignment;
  const std::size_t room = host ? (bytes + page - 1) / page * page : bytes;
  void* data = nullptr;
  if (posix_memalign(&data, page, room ? room : 1) != 0) return nullptr;
  std::memset(data, 0xFF, bytes);
  Allocation allocation;
  allocation.data = static_cast<std::byte*>(data);
  allocation.bytes = bytes;
  allocation.host = host;
  allocation.device = device;
  if (race::on) allocation.shadow = Shadow(bytes);
  if (!host) used += bytes;
  if (h.open == 0) set_access(allocation, false);
  h.live.emplace(address_of(data), std::move(allocation));
  // Page-locked memory is the host's to fill: what it holds is never reported as uninitialised.
  if (host) race::mark_written(data, bytes);
  return data;
}

bool release(void* data) {
  Heap& h = heap();
  const auto found = h.live.find(address_of(data));
  if (found == h.live.end()) return false;
  if (!found->second.host)
    h.used[static_cast<std::size_t>(found->second.device)] -= found->second.bytes;
  set_access(found->second, true);
  h.live.erase(found);
  h.recent.fill(nullptr);
  std::free(data);
  return true;
}

Allocation* find(const void* address) {
  Heap& h = heap();
  const Address a = address_of(address);
  Allocation*& recent = h.recent[(a >> 12) % h.recent.size()];
  if (recent && a - address_of(recent->data) < recent->bytes) return recent;
  auto after = h.live.upper_bound(a);
  if (after == h.live.begin()) return nullptr;
  Allocation& candidate = std::prev(after)->second;
  if (a - address_of(candidate.data) >= candidate.bytes) return nullptr;
  recent = &candidate;
  return recent;
}

bool holds(const void* address, std::size_t bytes) {
  const Allocation* allocation = find(address);
  return allocation &&
         static_cast<const std::byte*>(address) + bytes <= allocation->data + allocation->bytes;
}

std::size_t used_bytes(int device) {
  return heap().used[static_cast<std::size_t>(device)];
}

Open::Open() {
  if (heap().open++ == 0)
    for (const auto& [address, allocation] : heap().live) set_access(allocation, true);
}

Open::~Open() {
  if (--heap().open == 0)
    for (const auto& [address, allocation] : heap().live) set_access(allocation, false);
}

}  // namespace glia::emu::memory
