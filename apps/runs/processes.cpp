#include "apps/runs/processes.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/comm/mpi.h"
#include "engine/comm/mpi_launch.h"
#include "engine/runtime/device.h"

namespace glia {

namespace {

/// No step, and no reading of a batch, takes so long.
constexpr std::chrono::minutes kProcessLimit{10};

/// The hashes of `text` of all ranks.
std::vector<std::string> hashes_of(Communicator& ranks, const std::string& text) {
  const std::string mine = hash_text(text);
  std::string all(mine.size() * static_cast<std::size_t>(ranks.size()), ' ');
  ranks.gather(mine.data(), all.data(), mine.size());
  std::vector<std::string> hashes;
  for (std::size_t at = 0; at < all.size(); at += mine.size())
    hashes.push_back(all.substr(at, mine.size()));
  return hashes;
}

/// Ranks of this job on this machine, as Open MPI, MPICH or Slurm say; 1 where nobody does.
int ranks_here() {
  for (const char* name :
       {"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "SLURM_NTASKS_PER_NODE"})
    if (const char* value = std::getenv(name)) {
      const std::string_view text = value;
      int count = 0;
      if (std::from_chars(text.data(), text.data() + text.size(), count).ec == std::errc())
        return std::max(1, count);
    }
  return 1;
}

}  // namespace

void run_process(const std::function<void(Communicator*)>& work) {
  const auto launch = started_by_mpi();
  if (!launch) return work(nullptr);
  std::optional<CLI::RuntimeError> end;  // an exit status that all ranks come to
  {
    const auto ranks = open_mpi(*launch, kProcessLimit);
    try {
      work(ranks.get());
    } catch (const CLI::RuntimeError& status) {
      end = status;
    } catch (const std::exception& error) {
      ranks->abort(error.what());
      if (ranks->rank() == 0) throw;
      throw CLI::RuntimeError(1);
    }
  }
  if (end) throw *end;
}

void allow_one_process(CLI::App& command) {
  command.parse_complete_callback([name = command.get_name()] {
    if (const auto launch = started_by_mpi())
      fail(
          "glia {}: {} has started several of it, and each would do the whole work; only glia "
          "train shares its work among processes: start this command once, by itself",
          name, launch->started_by);
  });
}

bool is_same(Communicator& ranks, const std::string& text) {
  const auto hashes = hashes_of(ranks, text);
  return std::all_of(hashes.begin(), hashes.end(),
                     [&](const std::string& hash) { return hash == hashes.front(); });
}

void check_same(Communicator& ranks, const std::string& text, const std::string& what) {
  const auto hashes = hashes_of(ranks, text);
  for (std::size_t r = 0; r < hashes.size(); ++r)
    check(hashes[r] == hashes.front(), "rank {}: {}", r, what);
}

int threads_of_process(int asked) {
  if (asked != 0) return asked;
  const int given = available_cores(), here = ranks_here();
  const auto machine = static_cast<int>(std::thread::hardware_concurrency());
  return given * here <= machine ? given : std::max(1, given / here);
}

}  // namespace glia
