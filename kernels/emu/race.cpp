#include "kernels/emu/race.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string_view>
#include <tuple>

#include "kernels/emu/emu.h"
#include "kernels/emu/memory.h"
#include "kernels/emu/places.h"
#include "kernels/emu/profile.h"

namespace glia::emu::race {

bool on = false;

namespace {

struct ThreadClock {
  std::uint32_t epoch = 0;
  std::shared_ptr<const Clock> known;  // null: nothing but the block's floor
};

struct Report {
  const char* verb = "";
  std::string who, tail;
  int count = 0;
};

// Shared memory's cells are valid for one block: their serial number says which.
struct State {
  std::uint32_t serial = 0, first_serial = 1, tick = 0, floor = 0;
  std::vector<std::uint64_t> block_indices;  // of the blocks of this launch, by serial
  std::vector<ThreadClock> clocks;
  Shadow shared{kMaxShared};
  std::map<std::tuple<std::string_view, std::uint32_t, std::uint32_t>, Report> reports;
};

State g_state;

constexpr std::size_t kMaxReports = 16;  // distinct ones a launch; more only repeat the cause

std::uint16_t engine() {
  return static_cast<std::uint16_t>(thread_count());
}

std::string who(const Record& record) {
  const State& s = g_state;
  if (record.thread == engine()) return "the copy engine";
  std::string name = fmt::format("thread {}", thread_name(record.thread));
  if (record.block != s.serial)
    name += fmt::format(" of block {}", s.block_indices[record.block - s.first_serial]);
  return name;
}

/// Whether the running thread has not been told of `record`, made in this launch.
bool unordered(const Record& record, bool shared) {
  const State& s = g_state;
  if (record.block != s.serial) return !shared && record.block >= s.first_serial;
  const auto me = static_cast<std::uint16_t>(current()->id);
  if (record.thread == me || record.epoch < s.floor) return false;
  const auto& known = s.clocks[me].known;
  return !known || record.epoch >= (*known)[record.thread];
}

const char* verb(Access kind) {
  switch (kind) {
    case Access::read: return "read";
    case Access::write: return "write";
    case Access::atomic: return "atomic";
  }
  return "?";
}

/// Counts a problem of `place` (with `other`); `tail()` says more about it, the first time only.
template <class Tail>
void add_report(const char* kind, Access access, std::uint32_t place, std::uint32_t other,
                Tail tail) {
  auto& reports = g_state.reports;
  const auto key = std::tuple(std::string_view(kind), place, other);
  if (const auto found = reports.find(key); found != reports.end())
    ++found->second.count;
  else if (reports.size() < kMaxReports)
    reports[key] = {verb(access), current_name(), tail(), 1};
}

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
};

/// The shadow of [address, address + bytes), when that lies in one allocation or in shared memory.
Range find(const void* address, std::size_t bytes) {
  const auto* data = static_cast<const std::byte*>(address);
  if (in_shared(address, bytes))
    return {&g_state.shared,
            {true, static_cast<std::size_t>(data - shared_memory()), shared_bytes()}};
  if (memory::Allocation* a = memory::find(address); a && data + bytes <= a->data + a->bytes)
    return {&a->shadow, {false, static_cast<std::size_t>(data - a->data), a->bytes}};
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

Record record_of(const Thread& thread, std::uint32_t place) {
  const State& s = g_state;
  const auto id = static_cast<std::size_t>(thread.id);
  return {s.serial, s.clocks[id].epoch, place, static_cast<std::uint16_t>(id), 0};
}

void join(Clock& clock, const Clock& other) {
  for (std::size_t i = 0; i < other.size(); ++i) clock[i] = std::max(clock[i], other[i]);
}

std::size_t clock_size() {
  return static_cast<std::size_t>(thread_count()) + 1;
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
  if (count == Count::yes && options().profile)
    profile::record(*current(), address, bytes, range.where.shared, place);
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

void begin_launch() {
  State& s = g_state;
  s.first_serial = s.serial + 1;
  s.block_indices.clear();
  s.reports.clear();
}

void begin_block(std::uint64_t block_index) {
  if (!on) return;
  State& s = g_state;
  ++s.serial;
  s.block_indices.push_back(block_index);
  s.tick = s.floor = 1;
  s.clocks.assign(static_cast<std::size_t>(thread_count()), {1, nullptr});
  for (std::size_t i = 0; i < shared_bytes(); i += 4) s.shared.state(i) = 0;
}

void order_block() {
  if (!on) return;
  State& s = g_state;
  s.floor = ++s.tick;
  for (ThreadClock& clock : s.clocks) clock = {s.tick, nullptr};
}

void order_warp(int warp, std::uint32_t mask) {
  if (!on) return;
  State& s = g_state;
  const std::uint32_t now = ++s.tick;
  auto merged = std::make_shared<Clock>(clock_size(), 0u);
  const Clock* last = nullptr;  // the lanes of a warp mostly share one clock: merge it once
  for (int lane = 0; lane < kWarp; ++lane) {
    if (!(mask >> lane & 1)) continue;
    const Clock* known = s.clocks[static_cast<std::size_t>(warp * kWarp + lane)].known.get();
    if (known && known != last) join(*merged, *known);
    last = known ? known : last;
  }
  for (int lane = 0; lane < kWarp; ++lane)
    if (mask >> lane & 1) (*merged)[static_cast<std::size_t>(warp * kWarp + lane)] = now;
  for (int lane = 0; lane < kWarp; ++lane)
    if (mask >> lane & 1) s.clocks[static_cast<std::size_t>(warp * kWarp + lane)] = {now, merged};
}

void release(Clock& clock) {
  if (!on) return;
  State& s = g_state;
  clock.resize(clock_size(), 0);
  ThreadClock& mine = s.clocks[static_cast<std::size_t>(current()->id)];
  if (mine.known) join(clock, *mine.known);
  clock[static_cast<std::size_t>(current()->id)] = mine.epoch = ++s.tick;
}

void release_copies(Clock& clock) {
  if (!on) return;
  clock.resize(clock_size(), 0);
  clock.back() = ++g_state.tick;
}

void acquire(const Clock& clock) {
  if (!on || clock.empty()) return;
  ThreadClock& mine = g_state.clocks[static_cast<std::size_t>(current()->id)];
  auto merged = std::make_shared<Clock>(clock);
  if (mine.known) join(*merged, *mine.known);
  mine.known = std::move(merged);
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

std::string take_reports() {
  // Several instructions of one line make one report.
  std::map<std::tuple<std::string_view, std::string, std::string>, std::pair<std::string, int>>
      lines;
  for (const auto& [key, report] : g_state.reports) {
    const auto& [kind, place, other] = key;
    const auto names = place_names({place, other});
    const std::string text =
        fmt::format("{}: {} at {} by {}{}", kind, report.verb, names[0], report.who,
                    fmt::format(fmt::runtime(report.tail), names[1]));
    lines.try_emplace({kind, names[0], names[1]}, text, 0).first->second.second += report.count;
  }
  g_state.reports.clear();
  std::string text;
  for (const auto& [key, line] : lines)
    text += fmt::format("\n  {}{}", line.first,
                        line.second > 1 ? fmt::format(" ({} times)", line.second) : "");
  return text;
}

}  // namespace glia::emu::race
