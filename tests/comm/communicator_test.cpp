#include "engine/comm/communicator.h"

#include <atomic>
#include <functional>
#include <thread>

#include "engine/base/error.h"
#include "engine/comm/threads.h"
#include "tests/catch.h"
#include "tests/comm/contract.h"

namespace glia::test {

namespace {

using namespace std::chrono_literals;

/// Runs `work` as every rank; gives what each threw, "" where nothing.
std::vector<std::string> as_ranks(int ranks, std::chrono::milliseconds limit,
                                  const std::function<void(Communicator&)>& work) {
  auto all = make_thread_ranks(ranks, limit);
  std::vector<std::string> thrown(all.size());
  std::vector<std::jthread> threads;
  for (std::size_t r = 0; r < all.size(); ++r)
    threads.emplace_back([&, r] {
      try {
        work(*all[r]);
      } catch (const Error& error) {
        thrown[r] = error.what();
        all[r]->abort(error.what());
      }
    });
  threads.clear();
  return thrown;
}

}  // namespace

TEST_CASE("communicator: every rank gets what all have, in order") {
  for (const int ranks : {1, 2, 3, 8}) {
    const auto thrown = as_ranks(ranks, 10s, [](Communicator& comm) {
      if (const std::string wrong = examine_calls(comm); !wrong.empty()) throw Error(wrong);
    });
    for (const std::string& text : thrown) CHECK(text.empty());
  }
}

TEST_CASE("communicator: when a rank gives up the others are told why") {
  const auto thrown = as_ranks(3, 10s, [](Communicator& comm) {
    if (comm.rank() == 1) throw Error("the disk is full");
    std::vector<char> all(3);
    comm.gather("x", all.data(), 1);
  });
  CHECK(thrown[0] == "rank 1: the disk is full");
  CHECK(thrown[1] == "the disk is full");
  CHECK(thrown[2] == "rank 1: the disk is full");
}

TEST_CASE("communicator: nobody waits for longer than the limit") {
  const auto thrown = as_ranks(3, 50ms, [](Communicator& comm) {
    if (comm.rank() == 2) return;
    std::vector<char> all(3);
    comm.gather("x", all.data(), 1);
  });
  CHECK(thrown[0] == "ranks: 2 did not come within 0.05 s");
  CHECK(thrown[1] == "ranks: 2 did not come within 0.05 s");
}

TEST_CASE("communicator: what is read stays until it was read, whoever gives up") {
  // Rank 2 gives up while 0 and 1 copy from each other's memory, which they then free.
  std::atomic<int> wrong = 0;
  for (int turn = 0; turn < 200; ++turn)
    as_ranks(3, 10s, [&](Communicator& comm) {
      const std::vector<int> mine(4096, comm.rank());
      std::vector<int> all(3 * mine.size());
      comm.gather(mine.data(), all.data(), mine.size() * sizeof(int));
      for (std::size_t i = 0; i < all.size(); ++i)
        wrong += all[i] != static_cast<int>(i / mine.size());
      if (comm.rank() == 2) throw Error("enough");
      comm.gather(mine.data(), all.data(), mine.size() * sizeof(int));
    });
  CHECK(wrong == 0);
  CHECK_THROWS_WITH(make_thread_ranks(0, 1s), "ranks: found 0, expected 1 or more");
}

}  // namespace glia::test
