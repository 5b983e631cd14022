#include "kernels/emu/launch_bounds.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kernels/emu/block.h"
#include "kernels/emu/emu.h"

// From the linker, when any kernel says a bound: where the empty instructions of each begin.
extern "C" {
extern const std::uintptr_t __start___patchable_function_entries[] __attribute__((weak));
extern const std::uintptr_t __stop___patchable_function_entries[] __attribute__((weak));
}

namespace glia::emu {
namespace {

constexpr std::uint8_t kEmptyInstruction = 0x90;  // nop of x86
constexpr std::size_t kSharedOfAll = 48 << 10;

using Table = std::pair<const std::uintptr_t*, const std::uintptr_t*>;

/// Of the program and of the libraries that it has loaded.
std::vector<Table>& tables() {
  static std::vector<Table> all{
      {__start___patchable_function_entries, __stop___patchable_function_entries}};
  return all;
}

int look_up(const void* kernel) {
  const auto address = reinterpret_cast<std::uintptr_t>(kernel);
  std::uintptr_t begin = 0;
  for (const auto& [first, last] : tables())
    for (const auto* entry = first; entry != last; ++entry)
      if (*entry < address) begin = std::max(begin, *entry);
  if (begin == 0 || address - begin > kMaxThreads) return kMaxThreads;
  // Or they belong to the function before this one, which says none.
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(begin);
  const bool all_empty = std::all_of(bytes, bytes + (address - begin),
                                     [](std::uint8_t byte) { return byte == kEmptyInstruction; });
  return all_empty ? static_cast<int>(address - begin) : kMaxThreads;
}

std::unordered_map<const void*, std::size_t>& raised() {
  static std::unordered_map<const void*, std::size_t> limits;
  return limits;
}

}  // namespace

int launch_bound(const void* kernel) {
  static std::unordered_map<const void*, int> known;
  const auto [found, is_new] = known.try_emplace(kernel, kMaxThreads);
  if (is_new && has_launch_bounds()) found->second = look_up(kernel);
  return found->second;
}

void add_launch_bounds(const std::uintptr_t* begin, const std::uintptr_t* end) {
  tables().emplace_back(begin, end);
}

bool has_launch_bounds() {
  return std::any_of(tables().begin(), tables().end(),
                     [](const Table& table) { return table.first != table.second; });
}

std::size_t shared_limit_of(const void* kernel) {
  const auto found = raised().find(kernel);
  return found == raised().end() ? kSharedOfAll : std::max(kSharedOfAll, found->second);
}

bool raise_shared_limit(const void* kernel, std::size_t bytes) {
  if (bytes > shared_limit()) return false;
  raised()[kernel] = bytes;
  return true;
}

}  // namespace glia::emu
