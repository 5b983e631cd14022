#include "kernels/emu/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "kernels/emu/places.h"

namespace glia::emu::profile {
namespace {

constexpr std::size_t kBanks = 32, kBankBytes = 4, kSector = 32, kRowBytes = kBanks * kBankBytes;

struct Part {
  int lane;
  std::uintptr_t address;
  std::size_t bytes;
};

using Instruction = std::vector<Part>;  // a lane each

struct Counts {
  std::uint64_t instructions = 0, units = 0, ideal = 0;
};

struct State {
  // (place, shared, warp, how often the lane was here) -> the lanes' addresses. One place may touch
  // both memories: cp.async does, and where it fills with zeros only the shared one.
  std::map<std::tuple<std::uint32_t, bool, int, std::uint32_t>, Instruction> open;
  std::unordered_map<std::uint64_t, std::uint32_t> visits;  // (thread, shared, place) -> times
  std::map<std::pair<std::uint32_t, bool>, Counts> counts;  // (place, shared)
};

// Never destroyed: the table is asked for as the program ends.
State& state() {
  static State& instance = *new State;
  return instance;
}

std::size_t ceil_div(std::size_t a, std::size_t b) {
  return (a + b - 1) / b;
}

/// Passes over shared memory that serve `parts` at once: the most distinct words in one bank.
std::size_t wavefronts(const Part* parts, std::size_t count) {
  std::array<std::set<std::uintptr_t>, kBanks> words;
  std::size_t most = 0;
  for (std::size_t i = 0; i < count; ++i)
    for (std::uintptr_t word = parts[i].address / kBankBytes;
         word <= (parts[i].address + parts[i].bytes - 1) / kBankBytes; ++word) {
      auto& bank = words[word % kBanks];
      bank.insert(word);
      most = std::max(most, bank.size());
    }
  return most;
}

void count_shared(const Instruction& parts, Counts& counts) {
  // 8-byte accesses go by half warps, 16-byte ones by quarters: 128 bytes a pass.
  const std::size_t lanes =
      std::min<std::size_t>(kRowBytes / std::max<std::size_t>(parts[0].bytes, 4), 32);
  for (std::size_t i = 0; i < parts.size(); i += lanes) {
    counts.units += wavefronts(&parts[i], std::min(lanes, parts.size() - i));
    ++counts.ideal;
  }
}

void count_device(const Instruction& parts, Counts& counts) {
  std::set<std::uintptr_t> sectors, bytes;
  for (const Part& part : parts)
    for (std::uintptr_t byte = part.address; byte < part.address + part.bytes; ++byte) {
      sectors.insert(byte / kSector);
      bytes.insert(byte);
    }
  counts.units += sectors.size();
  counts.ideal += ceil_div(bytes.size(), kSector);
}

}  // namespace

void record(const Thread& thread, const void* address, std::size_t bytes, bool shared,
            std::uint32_t place) {
  State& s = state();
  const std::uint64_t key =
      static_cast<std::uint64_t>(2 * thread.id + (shared ? 1 : 0)) << 32 | place;
  const std::uint32_t visit = s.visits[key]++;
  s.open[{place, shared, thread.id / kWarp, visit}].push_back(
      {thread.id % kWarp, reinterpret_cast<std::uintptr_t>(address), bytes});
}

void record_matrix(const void* const rows[8], std::uint32_t place) {
  std::array<Part, 8> parts{};
  for (std::size_t i = 0; i < 8; ++i)
    parts[i] = {static_cast<int>(i), reinterpret_cast<std::uintptr_t>(rows[i]), 16};
  Counts& counts = state().counts[{place, true}];
  ++counts.instructions;
  counts.units += wavefronts(parts.data(), parts.size());
  ++counts.ideal;
}

void end_interval() {
  State& s = state();
  for (auto& [key, instruction] : s.open) {
    const bool shared = std::get<1>(key);
    Counts& counts = s.counts[{std::get<0>(key), shared}];
    ++counts.instructions;
    std::sort(instruction.begin(), instruction.end(),
              [](const Part& a, const Part& b) { return a.lane < b.lane; });
    shared ? count_shared(instruction, counts) : count_device(instruction, counts);
  }
  s.open.clear();
  s.visits.clear();
}

std::string table() {
  std::vector<std::uint32_t> places;
  for (const auto& [key, counts] : state().counts) places.push_back(key.first);
  const auto names = place_names(places);
  std::map<std::pair<std::string, bool>, Counts> lines;
  std::size_t i = 0;
  for (const auto& [key, counts] : state().counts) {
    Counts& line = lines[{names[i++], key.second}];
    line.instructions += counts.instructions;
    line.units += counts.units;
    line.ideal += counts.ideal;
  }
  std::vector<std::pair<std::pair<std::string, bool>, Counts>> sorted(lines.begin(), lines.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second.units - a.second.ideal > b.second.units - b.second.ideal;
  });
  if (sorted.empty()) return "";
  std::string text = fmt::format("{:<48} {:<22} {:>12} {:>12} {:>12} {:>7}\n", "line", "counted",
                                 "instructions", "count", "ideal", "ratio");
  for (const auto& [key, counts] : sorted)
    text += fmt::format("{:<48} {:<22} {:>12} {:>12} {:>12} {:>7.2f}\n", key.first,
                        key.second ? "shared wavefronts" : "32-byte sectors", counts.instructions,
                        counts.units, counts.ideal,
                        static_cast<double>(counts.units) / static_cast<double>(counts.ideal));
  return text;
}

void clear() {
  state() = {};
}

}  // namespace glia::emu::profile
