#include "kernels/emu/order.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/emu/memory.h"
#include "kernels/emu/places.h"

namespace glia::emu {
namespace {

constexpr std::size_t kKeptAccesses = 64;  // an allocation; older ones are forgotten

bool overlap(const Extent& a, const Extent& b) {
  return a.begin < b.begin + b.bytes && b.begin < a.begin + a.bytes;
}

bool covers(const Extent& a, const Extent& b) {
  return a.begin <= b.begin && b.begin + b.bytes <= a.begin + a.bytes;
}

std::vector<memory::Allocation*>& touched() {
  static std::vector<memory::Allocation*> all;
  return all;
}

void widen(memory::Span& span, const std::byte* begin, const std::byte* end) {
  span.begin = span.begin ? std::min(span.begin, begin) : begin;
  span.end = std::max(span.end, end);
}

}  // namespace

void join(StreamClock& clock, const StreamClock& other) {
  if (clock.size() < other.size()) clock.resize(other.size(), 0);
  for (std::size_t i = 0; i < other.size(); ++i) clock[i] = std::max(clock[i], other[i]);
}

bool reached(const StreamClock& clock, Point point) {
  return point.stream < clock.size() && point.number <= clock[point.stream];
}

std::string name_of(const Doer& doer) {
  return fmt::format("{}, queued at {},", doer.what, place_names({doer.place})[0]);
}

bool conflict(const Extent& a, const Extent& b) {
  return (a.write || b.write) && overlap(a, b);
}

std::string conflict_text(const Access& a, const Access& b) {
  const auto verb = [](const Access& access) { return access.extent.write ? "writes" : "reads"; };
  return fmt::format(
      "\n  no order: {} {} memory that {} {}; they are on different streams, and no event and no "
      "wait of the host stands between",
      name_of(a.doer), verb(a), name_of(b.doer), verb(b));
}

std::string add_access(const Access& access, const StreamClock& known) {
  memory::Allocation* allocation = memory::find(access.extent.begin);
  if (!allocation) return "";
  std::string report;
  std::vector<Access>& all = allocation->accesses;
  std::erase_if(all, [&](const Access& old) {
    const bool ordered = reached(known, old.doer.point);
    if (!ordered && report.empty() && conflict(access.extent, old.extent))
      report = conflict_text(access, old);
    return ordered && (access.extent.write || !old.extent.write) &&
           covers(access.extent, old.extent);
  });
  if (all.size() == kKeptAccesses) all.erase(all.begin());
  all.push_back(access);
  return report;
}

void touch(memory::Allocation& allocation, const std::byte* begin, std::size_t bytes, bool write) {
  if (!allocation.reads.end && !allocation.writes.end) touched().push_back(&allocation);
  widen(write ? allocation.writes : allocation.reads, begin, begin + bytes);
}

std::vector<Extent> take_touched() {
  std::vector<Extent> extents;
  for (memory::Allocation* allocation : touched()) {
    for (const bool write : {false, true}) {
      memory::Span& span = write ? allocation->writes : allocation->reads;
      if (span.end)
        extents.push_back({span.begin, static_cast<std::size_t>(span.end - span.begin), write});
      span = {};
    }
  }
  touched().clear();
  return extents;
}

}  // namespace glia::emu
