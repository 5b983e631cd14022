// Which queued works the host's calls order, and who touches memory without being ordered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace glia::emu::memory {
struct Allocation;
}

namespace glia::emu {

/// A point in a stream: its first `number` works.
struct Point {
  std::uint32_t stream = 0;
  std::uint64_t number = 0;
};

/// For each stream, by its index, how many of its works come before.
using StreamClock = std::vector<std::uint64_t>;
void join(StreamClock& clock, const StreamClock& other);
bool reached(const StreamClock& clock, Point point);

struct Extent {
  const std::byte* begin = nullptr;
  std::size_t bytes = 0;
  bool write = false;
};

/// Who touches memory, as reports name it.
struct Doer {
  std::string what;         // "kernel batch_stats", "cudaMemcpyAsync"
  std::uint32_t place = 0;  // of the call that queued it
  Point point;
};
std::string name_of(const Doer& doer);

struct Access {
  Extent extent;
  Doer doer;
};

/// Whether the two touch the same bytes and one of them writes.
bool conflict(const Extent& a, const Extent& b);

/// "A at FILE:LINE writes memory that B at FILE:LINE reads, and nothing orders …".
std::string conflict_text(const Access& a, const Access& b);

/// Adds `access`, of a work that comes after all of `known`, to those of its allocation, and
/// reports the first one that is neither before it nor may happen beside it; empty when none.
std::string add_access(const Access& access, const StreamClock& known);

/// What the running kernel touches of each allocation, from its first byte to its last: counted
/// by the race checker's hooks. `take` gives them and begins anew.
void touch(memory::Allocation& allocation, const std::byte* begin, std::size_t bytes, bool write);
std::vector<Extent> take_touched();

}  // namespace glia::emu
