// One rank of a job that an MPI starts, for tests/comm/mpi/mpi_test.py.
// Usage: comm_ranks SCENARIO LIMIT-MS LARGEST TOKEN    TOKEN: a word to find the process by
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "engine/base/check.h"
#include "engine/comm/mpi.h"
#include "engine/comm/mpi_library.h"
#include "tests/comm/contract.h"

namespace glia::test {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

void barrier(Communicator& comm) {
  comm.gather(nullptr, nullptr, 0);
}

bool last(const Communicator& comm) {
  return comm.rank() == comm.size() - 1;
}

void meet_forever(Communicator& comm) {
  std::vector<char> all(2000 * static_cast<std::size_t>(comm.size()));
  const std::vector<char> mine(2000, 'x');
  for (;;) comm.gather(mine.data(), all.data(), mine.size());
}

void calls(Communicator& comm) {
  const std::string wrong = examine_calls(comm);
  check(wrong.empty(), "wrong: {}", wrong);
  fmt::print("rank {} of {}: every call was right\n", comm.rank(), comm.size());
}

/// Rank 1 says why; the others wait.
void gives_up(Communicator& comm) {
  barrier(comm);
  if (comm.rank() != 1) meet_forever(comm);
  std::this_thread::sleep_for(300ms);  // the others sleep already
  throw Error("the disk is full");
}

/// The same in the middle of large messages.
void gives_up_large(Communicator& comm) {
  const std::size_t bytes = 4 << 20;
  std::vector<char> mine(bytes), all(bytes * static_cast<std::size_t>(comm.size()));
  for (int turn = 0;; ++turn) {
    if (comm.rank() == 1 && turn == 5) throw Error("the disk is full");
    comm.gather(mine.data(), all.data(), bytes);
  }
}

void does_not_come(Communicator& comm) {
  barrier(comm);
  if (last(comm)) std::this_thread::sleep_for(60s);
  barrier(comm);
}

void leaves_early(Communicator& comm) {
  barrier(comm);
  if (!last(comm)) barrier(comm);
}

/// After its last call, as with a report that cannot be written.
void ends_badly(Communicator& comm) {
  barrier(comm);
  if (comm.rank() == 1) std::exit(3);
}

void comes_late(Communicator& comm) {
  barrier(comm);
  if (last(comm)) std::this_thread::sleep_for(400ms);
  barrier(comm);
  fmt::print("rank {} of {}: all came\n", comm.rank(), comm.size());
}

void is_killed(Communicator& comm) {
  barrier(comm);
  if (comm.rank() == 1) std::raise(SIGKILL);
  meet_forever(comm);
}

void waits(Communicator& comm) {
  barrier(comm);
  if (comm.rank() == 0) {
    fmt::print("all are here\n");
    std::fflush(stdout);
  }
  meet_forever(comm);
}

/// Megabytes in one exchange, slow enough for a cable to be pulled out.
void streams(Communicator& comm) {
  const std::size_t bytes = 8 << 20;
  std::vector<char> mine(bytes * static_cast<std::size_t>(comm.size())), all(mine.size());
  for (;;) {
    comm.exchange(mine.data(), all.data(), bytes);
    if (comm.rank() == 0) fmt::print("exchanged\n");
    std::fflush(stdout);
  }
}

/// Microseconds of small calls, and of large ones.
void times(Communicator& comm) {
  for (const std::size_t bytes : {0, 16, 1024, 16384, 1 << 20, 16 << 20}) {
    const std::vector<char> mine(bytes * static_cast<std::size_t>(comm.size()));
    std::vector<char> all(mine.size());
    const int calls = bytes > 100000 ? 20 : 2000;
    std::vector<double> samples;
    for (int turn = 0; turn < 9; ++turn) {
      const auto begin = Clock::now();
      for (int i = 0; i < calls; ++i) comm.gather(mine.data(), all.data(), bytes);
      samples.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count() /
                        calls);
    }
    std::sort(samples.begin(), samples.end());
    if (comm.rank() == 0)
      fmt::print("gather of {} bytes: median {:.2f} us, least {:.2f}\n", bytes, samples[4],
                 samples[0]);
  }
}

const std::map<std::string, std::function<void(Communicator&)>> kScenarios{
    {"calls", calls},
    {"gives-up", gives_up},
    {"gives-up-large", gives_up_large},
    {"does-not-come", does_not_come},
    {"leaves-early", leaves_early},
    {"comes-late", comes_late},
    {"ends-badly", ends_badly},
    {"is-killed", is_killed},
    {"waits", waits},
    {"streams", streams},
    {"times", times}};

int run(const std::string& scenario, std::chrono::milliseconds limit, std::size_t largest) {
  int rank = -1;
  try {
    const auto launch = started_by_mpi();
    check(launch.has_value(), "comm_ranks: started alone");
    const auto comm = open_mpi(*launch, limit, largest);
    rank = comm->rank();
    if (scenario == "throws") {  // and tells nobody
      barrier(*comm);
      if (rank == 1) throw Error("not told");
      meet_forever(*comm);
    }
    try {
      kScenarios.at(scenario)(*comm);
    } catch (const Error& error) {
      comm->abort(error.what());
      throw;
    }
  } catch (const Error& error) {
    fmt::print("rank {} ended: {}\n", rank, error.what());
    return 1;
  }
  return 0;
}

}  // namespace

}  // namespace glia::test

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  return glia::test::run(argv[1], std::chrono::milliseconds(std::atol(argv[2])),
                         static_cast<std::size_t>(std::atoll(argv[3])));
}
