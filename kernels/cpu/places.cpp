// Where OpenMP puts threads, and whether it can start them.
#include <omp.h>

#include <atomic>
#include <latch>
#include <set>
#include <system_error>
#include <thread>
#include <vector>

#include "engine/base/cores.h"
#include "kernels/cpu/table.h"

namespace glia::cpu {

namespace {

/// Whatever bound this thread before, LLVM's OpenMP is to start with every core: it takes what it
/// finds as all there is. A library that uses GNU's (oneDNN may) brings that one along.
void start_openmp() {
#ifdef KMP_VERSION_MAJOR
  use_given_cores();
#endif
}

}  // namespace

int cores_in_places() {
  static const bool started = (start_openmp(), true);
  static_cast<void>(started);
  std::set<int> cores;
  for (int place = 0; place < omp_get_num_places(); ++place) {
    std::vector<int> ids(static_cast<std::size_t>(omp_get_place_num_procs(place)));
    omp_get_place_proc_ids(place, ids.data());
    cores.insert(ids.begin(), ids.end());
  }
  return static_cast<int>(cores.size());
}

int start_threads(int threads) {
  {
    std::latch all_tried(1);
    std::vector<std::jthread> tried;
    try {
      while (std::ssize(tried) + 1 < threads) tried.emplace_back([&] { all_tried.wait(); });
    } catch (const std::system_error&) {
    }
    all_tried.count_down();
    if (std::ssize(tried) + 1 < threads) return static_cast<int>(tried.size()) + 1;
  }
  std::atomic<int> started = 0;
#pragma omp parallel num_threads(threads)
  ++started;
  return threads;
}

}  // namespace glia::cpu
