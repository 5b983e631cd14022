#include "apps/runs/rank_threads.h"

#include <atomic>
#include <chrono>
#include <exception>
#include <thread>
#include <vector>

#include "engine/comm/threads.h"

namespace glia {

namespace {

/// Ranks of one process take the same time for a step, and none of them can be killed by itself.
constexpr std::chrono::minutes kThreadLimit{30};

std::string reason_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "it ended";
  }
}

}  // namespace

void run_ranks(int ranks, const std::function<void(Communicator*)>& work) {
  if (ranks == 1) return work(nullptr);
  const auto all = make_thread_ranks(ranks, kThreadLimit);
  std::exception_ptr first;
  std::atomic_flag failed;
  {
    std::vector<std::jthread> threads;
    for (const auto& rank : all)
      threads.emplace_back([&, me = rank.get()] {
        try {
          work(me);
        } catch (...) {
          if (!failed.test_and_set()) first = std::current_exception();
          me->abort(reason_of(std::current_exception()));
        }
      });
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace glia
