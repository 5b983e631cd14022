#include "kernels/emu/race.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "kernels/emu/devices.h"
#include "kernels/emu/memory.h"
#include "kernels/emu/order.h"
#include "kernels/emu/places.h"
#include "kernels/emu/profile.h"
#include "kernels/emu/race_reports.h"
#include "kernels/emu/race_state.h"

namespace glia::emu::race {

namespace {

/// Where memory is, for reports.
struct Where {
  bool shared;
  std::size_t offset, bytes;
  std::string str() const {
    return shared ? fmt::format("shared memory, byte {} of {}", offset, bytes)
                  : fmt::format("device memory, byte {} of an allocation of {}", offset, bytes);
  }
};

void report_race(const Record& other, const char* other_verb, Access kind, std::uint32_t place,
                 const Where& where) {
  add_report("race", kind, place, other.place, [&] {
    return fmt::format(" is not ordered with the {} at {{}} by {}; {}", other_verb, who(other),
                       where.str());
  });
}

void record_read(Cell& cell, const Record& me, bool shared) {
  Record* slot = nullptr;
  for (Record& old : cell.reads) {
    if (old.block == me.block && old.thread == me.thread) {
      if (old.epoch == me.epoch && old.place == me.place) {
        old.bytes |= me.bytes;
        return;
      }
      slot = &old;
      break;
    }
    if (old.block == 0 || !unordered(old, shared)) slot = &old;
  }
  if (!slot) {
    // Both are taken: keep readers of two warps, and of one warp the latest.
    const int warps[2] = {cell.reads[0].thread / kWarp, cell.reads[1].thread / kWarp};
    const bool second = warps[0] != warps[1] && me.thread / kWarp == warps[1];
    if (!second && warps[0] == warps[1]) std::swap(cell.reads[0], cell.reads[1]);
    slot = &cell.reads[second ? 1 : 0];
  }
  *slot = me;
}

void check_cell(Cell& cell, std::uint8_t& bytes_state, const Record& me, Access kind,
                const Where& where) {
  if ((bytes_state >> 4) & me.bytes)
    add_report("copy in flight", kind, me.place, 0, [&] {
      return " meets an asynchronous copy that nobody has waited for; " + where.str();
    });
  else if (kind != Access::write && (bytes_state & me.bytes) != me.bytes)
    add_report("uninitialised", kind, me.place, 0,
               [&] { return " of memory that nobody has written; " + where.str(); });

  const auto conflicts = [&](const Record& other) {
    return (other.bytes & me.bytes) && unordered(other, where.shared);
  };
  if (conflicts(cell.write)) report_race(cell.write, "write", kind, me.place, where);
  if (kind != Access::atomic && conflicts(cell.atomic))
    report_race(cell.atomic, "atomic", kind, me.place, where);
  if (kind == Access::read) {
    record_read(cell, me, where.shared);
    return;
  }
  for (const Record& read : cell.reads)
    if (conflicts(read)) report_race(read, "read", kind, me.place, where);
  bytes_state |= me.bytes;
  Record& last = kind == Access::atomic ? cell.atomic : cell.write;
  const bool repeated =
      last.block == me.block && last.thread == me.thread && last.epoch == me.epoch;
  const auto earlier = static_cast<std::uint8_t>(repeated ? last.bytes : 0);
  last = me;
  last.bytes |= earlier;
}

[[noreturn]] void out_of_bounds(Access kind, std::size_t bytes, std::uint32_t place,
                                const std::string& where) {
  abort_launch(fmt::format("out of bounds: {} of {} bytes at {} by {}: {}", verb(kind), bytes,
                           place_names({place})[0], current_name(), where));
}

struct Range {
  Shadow* shadow = nullptr;
  Where where{};
  memory::Allocation* allocation = nullptr;  // none for shared memory
};

/// The shadow of [address, address + bytes), when that lies in one allocation or in shared memory.
Range find(const void* address, std::size_t bytes) {
  const auto* data = static_cast<const std::byte*>(address);
  if (in_shared(address, bytes))
    return {&g_state.shared,
            {true, static_cast<std::size_t>(data - shared_memory()), shared_bytes()},
            nullptr};
  if (memory::Allocation* a = memory::find(address); a && data + bytes <= a->data + a->bytes)
    return {&a->shadow, {false, static_cast<std::size_t>(data - a->data), a->bytes}, a};
  return {};
}

/// Calls `visit(offset of the four bytes, mask of the bytes in them)` over a range.
template <class Visit>
void each_four(std::size_t offset, std::size_t bytes, Visit visit) {
  const std::size_t last = offset + bytes;
  for (std::size_t four = offset & ~std::size_t{3}; four < last; four += 4) {
    unsigned mask = 0xF;
    if (four < offset) mask &= 0xFu << (offset - four);
    if (four + 4 > last) mask &= 0xFu >> (four + 4 - last);
    visit(four, static_cast<std::uint8_t>(mask & 0xF));
  }
}

}  // namespace

void access(const void* address, std::size_t bytes, Access kind, std::uint32_t place, Count count) {
  if (!on || !current()) return;
  if (kind == Access::read && in_program(address)) return;  // threadIdx and constants
  Range range = find(address, bytes);
  if (!range.shadow) {
    if (in_own_stack(address)) return;
    const auto* data = static_cast<const std::byte*>(address);
    if (in_stacks(address)) out_of_bounds(kind, bytes, place, "a local variable of another thread");
    if (data >= shared_memory() && data <= shared_memory() + kMaxShared)
      out_of_bounds(kind, bytes, place,
                    fmt::format("byte {} of {} bytes of shared memory", data - shared_memory(),
                                shared_bytes()));
    if (const memory::Allocation* a = memory::find(data - 1))
      out_of_bounds(
          kind, bytes, place,
          fmt::format("byte {} of a device allocation of {} bytes", data - a->data, a->bytes));
    out_of_bounds(kind, bytes, place, "neither shared nor device memory");
  }
  if (memory::Allocation* a = range.allocation) {
    if (!a->host && !reaches(running_device(), a->device))
      out_of_bounds(kind, bytes, place, fmt::format("memory of device {}", a->device));
    touch(*a, static_cast<const std::byte*>(address), bytes, kind != Access::read);
  }
  if (count != Count::no && options().profile) {
    const std::size_t step = count == Count::by_words ? 4 : bytes;
    for (std::size_t done = 0; done < bytes; done += step)
      profile::record(*current(), static_cast<const std::byte*>(address) + done,
                      std::min(step, bytes - done), range.where.shared, place);
  }
  Record me = record_of(*current(), place);
  Where where = range.where;
  each_four(range.where.offset, bytes, [&](std::size_t four, std::uint8_t mask) {
    me.bytes = mask;
    where.offset = four;
    check_cell(range.shadow->cell(four), range.shadow->state(four), me, kind, where);
  });
}

void access(const void* address, std::size_t bytes, Access kind, Site at, Count count) {
  if (on && current()) access(address, bytes, kind, place_of(at), count);
}

void mark_written(const void* address, std::size_t bytes) {
  if (!on) return;
  if (const Range range = find(address, bytes); range.shadow)
    each_four(range.where.offset, bytes,
              [&](std::size_t four, std::uint8_t mask) { range.shadow->state(four) |= mask; });
}

void mark_copied(void* to, const void* from, std::size_t bytes) {
  if (!on) return;
  const Range target = find(to, bytes), source = find(from, bytes);
  if (!target.shadow) return;
  if (!source.shadow) return mark_written(to, bytes);
  for (std::size_t i = 0; i < bytes; ++i) {
    const std::size_t t = target.where.offset + i, f = source.where.offset + i;
    const unsigned is_set = source.shadow->state(f) >> (f % 4) & 1u;
    std::uint8_t& word = target.shadow->state(t);
    word = static_cast<std::uint8_t>((word & ~(1u << (t % 4))) | is_set << (t % 4));
  }
}

void mark_in_flight(const void* address, std::size_t bytes) {
  if (!on) return;
  if (const Range range = find(address, bytes); range.shadow)
    each_four(range.where.offset, bytes, [&](std::size_t four, std::uint8_t mask) {
      range.shadow->state(four) |= static_cast<std::uint8_t>(mask << 4);
    });
}

void landed(const void* address, std::size_t bytes, Site at, bool by_engine) {
  if (!on) return;
  const Range range = find(address, bytes);
  if (!range.shadow) return;
  const State& s = g_state;
  Record me{s.serial, s.tick, place_of(at), engine(), 0};
  if (!by_engine) me = record_of(*current(), me.place);
  each_four(range.where.offset, bytes, [&](std::size_t four, std::uint8_t mask) {
    std::uint8_t& word = range.shadow->state(four);
    word = static_cast<std::uint8_t>((word | mask) & ~(mask << 4));
    me.bytes = mask;
    range.shadow->cell(four).write = me;
  });
}

}  // namespace glia::emu::race
