// How much memory this process may still take, and what sets that limit: the machine, the control
// groups of a container or job scheduler, or the shell's `ulimit`.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace glia {

struct MemoryLimit {
  std::string name;       // "the machine's memory", "ulimit -v", "the control group /job/7"
  std::size_t total = 0;  // bytes
  std::size_t free = 0;   // bytes that this process may still fill
  bool device = false;    // the memory there is, of which other programs may give some back

  /// "ulimit -v of 4000 MiB".
  std::string str() const;
};

/// Every limit that holds, the machine's first. Of control groups (versions 1 and 2) each one from
/// that of this process up to the highest that a container shows; their page cache counts as free.
/// What the system does not show is left out. `root` is another place than "/", for tests.
std::vector<MemoryLimit> memory_limits(const std::filesystem::path& root = "/");

/// The one that leaves least; nothing where the system shows none.
std::optional<MemoryLimit> least_memory(const std::vector<MemoryLimit>& limits = memory_limits());

/// Bytes of addresses that tensors may take where `ulimit -v` limits them: three quarters of those
/// that are free, as threads' stacks, their heaps and libraries reserve more than they fill.
/// Nothing where there is no such limit.
std::optional<std::size_t> addresses_for_tensors();

}  // namespace glia
