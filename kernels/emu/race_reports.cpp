#include "kernels/emu/race_reports.h"

#include <fmt/format.h>

#include <map>
#include <string_view>
#include <tuple>

#include "kernels/emu/places.h"
#include "kernels/emu/race_state.h"

namespace glia::emu::race {

namespace {

struct Report {
  const char* verb = "";
  std::string who, tail;
  int count = 0;
};

constexpr std::size_t kMaxReports = 16;  // distinct ones a launch; more only repeat the cause

std::map<std::tuple<std::string_view, std::uint32_t, std::uint32_t>, Report> g_reports;

}  // namespace

const char* verb(Access kind) {
  switch (kind) {
    case Access::read: return "read";
    case Access::write: return "write";
    case Access::atomic: return "atomic";
  }
  return "?";
}

std::string who(const Record& record) {
  const State& s = g_state;
  if (record.thread == engine()) return "the copy engine";
  std::string name = fmt::format("thread {}", thread_name(record.thread));
  if (record.block != s.serial)
    name += fmt::format(" of block {}", s.block_indices[record.block - s.first_serial]);
  return name;
}

void add_report(const char* kind, Access access, std::uint32_t place, std::uint32_t other,
                const std::function<std::string()>& tail) {
  const auto key = std::tuple(std::string_view(kind), place, other);
  if (const auto found = g_reports.find(key); found != g_reports.end())
    ++found->second.count;
  else if (g_reports.size() < kMaxReports)
    g_reports[key] = {verb(access), current_name(), tail(), 1};
}

void clear_reports() {
  g_reports.clear();
}

std::string take_reports() {
  // Several instructions of one line make one report.
  std::map<std::tuple<std::string_view, std::string, std::string>, std::pair<std::string, int>>
      lines;
  for (const auto& [key, report] : g_reports) {
    const auto& [kind, place, other] = key;
    const auto names = place_names({place, other});
    const std::string text =
        fmt::format("{}: {} at {} by {}{}", kind, report.verb, names[0], report.who,
                    fmt::format(fmt::runtime(report.tail), names[1]));
    lines.try_emplace({kind, names[0], names[1]}, text, 0).first->second.second += report.count;
  }
  g_reports.clear();
  std::string text;
  for (const auto& [key, line] : lines)
    text += fmt::format("\n  {}{}", line.first,
                        line.second > 1 ? fmt::format(" ({} times)", line.second) : "");
  return text;
}

}  // namespace glia::emu::race
