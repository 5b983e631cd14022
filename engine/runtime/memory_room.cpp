#include "engine/runtime/memory_room.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "engine/base/bytes.h"
#include "engine/runtime/arena.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

// Version 1 writes "no limit" as the largest multiple of a page; no machine has a sixteenth of it.
constexpr std::size_t kNoLimit = std::size_t{1} << 59;

std::size_t left(std::size_t total, std::size_t used) {
  return total - std::min(total, used);
}

/// The only number in a file; nothing for "max", or where there is no such file.
std::optional<std::size_t> number_in(const fs::path& file) {
  std::ifstream in(file);
  std::string text;
  in >> text;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// The number that follows a word, in a file of such pairs ("MemTotal: 16 kB", "anon 16").
std::optional<std::size_t> number_after(const fs::path& file, const std::string& key) {
  std::ifstream in(file);
  std::string word;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::size_t number = 0;
    if (words >> word && word == key && words >> number) return number;
  }
  return std::nullopt;
}

std::optional<MemoryLimit> machine_limit(const fs::path& root) {
  const fs::path file = root / "proc/meminfo";
  const auto total = number_after(file, "MemTotal:"), free = number_after(file, "MemAvailable:");
  if (!total || !free) return std::nullopt;
  return MemoryLimit{
      .name = "the machine's memory", .total = *total << 10, .free = *free << 10, .device = true};
}

/// What the two versions of control groups call their files. Version 1 has a hierarchy of groups
/// for memory beside others.
struct CgroupFiles {
  const char *type, *controller, *limit, *used, *cache;
};
constexpr CgroupFiles kVersion1 = {"cgroup", "memory", "memory.limit_in_bytes",
                                   "memory.usage_in_bytes", "total_inactive_file"};
constexpr CgroupFiles kVersion2 = {"cgroup2", "", "memory.max", "memory.current", "inactive_file"};

/// Whether "rw,memory" has the word; that which is empty is part of every list.
bool has_word(const std::string& list, const std::string& word) {
  return word.empty() || ("," + list + ",").find("," + word + ",") != std::string::npos;
}

/// Where a hierarchy of control groups is mounted, and which of its groups lies there.
struct Mount {
  fs::path folder, group;
};

/// From /proc/self/mountinfo: id, parent, device, root, mount point, options, ... - type, source,
/// options of the hierarchy (proc(5)).
std::optional<Mount> find_mount(const fs::path& root, const CgroupFiles& files) {
  std::ifstream in(root / "proc/self/mountinfo");
  for (std::string line; std::getline(in, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream before(line.substr(0, dash)), after(line.substr(dash + 3));
    std::string skipped, group, point, type, source, options;
    before >> skipped >> skipped >> skipped >> group >> point;
    after >> type >> source >> options;
    if (type == files.type && has_word(options, files.controller))
      return Mount{root / fs::path(point).relative_path(), group};
  }
  return std::nullopt;
}

/// This process's group in a hierarchy, from /proc/self/cgroup ("4:memory:/a", "0::/a").
std::optional<fs::path> find_group(const fs::path& root, const CgroupFiles& files) {
  std::ifstream in(root / "proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (*files.controller == 0 ? controllers.empty() : has_word(controllers, files.controller))
      return line.substr(second + 1);
  }
  return std::nullopt;
}

std::optional<MemoryLimit> limit_of_group(const fs::path& folder, const fs::path& group,
                                          const CgroupFiles& files) {
  const auto total = number_in(folder / files.limit), used = number_in(folder / files.used);
  if (!total || !used || *total >= kNoLimit) return std::nullopt;
  const std::size_t cache = number_after(folder / "memory.stat", files.cache).value_or(0);
  return MemoryLimit{.name = fmt::format("the control group {}", group.string()),
                     .total = *total,
                     .free = left(*total, left(*used, cache))};
}

void add_groups(const fs::path& root, const CgroupFiles& files, std::vector<MemoryLimit>& limits) {
  const auto mount = find_mount(root, files);
  auto group = find_group(root, files);
  if (!mount || !group) return;
  // A container sees its own group at the mount point, under whatever name it has outside.
  fs::path below = group->lexically_relative(mount->group);
  if (below.empty() || *below.begin() == ".." || *below.begin() == ".") below.clear();
  for (;; below = below.parent_path()) {
    const fs::path folder = below.empty() ? mount->folder : mount->folder / below;
    if (auto limit = limit_of_group(folder, "/" / below, files))
      limits.push_back(std::move(*limit));
    if (below.empty()) return;
  }
}

/// One that the shell's `ulimit` set, of which /proc/self/status tells the KiB that are `used`.
std::optional<MemoryLimit> shell_limit(const char* name, decltype(RLIMIT_AS) resource,
                                       const char* used) {
  rlimit limit{};
  const auto kib = number_after("/proc/self/status", used);
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || !kib)
    return std::nullopt;
  const auto total = static_cast<std::size_t>(limit.rlim_cur);
  return MemoryLimit{.name = name, .total = total, .free = left(total, *kib << 10)};
}

std::optional<MemoryLimit> limit_of_addresses() {
  auto limit = shell_limit("ulimit -v", RLIMIT_AS, "VmSize:");
  if (limit) limit->free = left(limit->free, ArenaLayout::kSmallRange) / 4 * 3;
  return limit;
}

/// Stacks of threads, their heaps and whole huge pages count too: a quarter is left to them.
std::optional<MemoryLimit> limit_of_data() {
  auto limit = shell_limit("ulimit -d", RLIMIT_DATA, "VmData:");
  if (limit) limit->free = limit->free / 4 * 3;
  return limit;
}

}  // namespace

std::string MemoryLimit::str() const {
  return fmt::format("{} of {:.0f} MiB", name, mib(total));
}

std::vector<MemoryLimit> memory_limits(const fs::path& root) {
  std::vector<MemoryLimit> limits;
  if (auto machine = machine_limit(root)) limits.push_back(std::move(*machine));
  add_groups(root, kVersion2, limits);
  add_groups(root, kVersion1, limits);
  for (auto& limit : {limit_of_addresses(), limit_of_data()})
    if (limit) limits.push_back(*limit);
  return limits;
}

std::optional<MemoryLimit> least_memory(const std::vector<MemoryLimit>& limits) {
  const auto least =
      std::min_element(limits.begin(), limits.end(),
                       [](const MemoryLimit& a, const MemoryLimit& b) { return a.free < b.free; });
  if (least == limits.end()) return std::nullopt;
  return *least;
}

std::optional<std::size_t> addresses_for_tensors() {
  const auto limit = limit_of_addresses();
  if (!limit) return std::nullopt;
  return limit->free;
}

}  // namespace glia
