// Where OpenMP puts threads.
#include <omp.h>

#include <set>
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

}  // namespace glia::cpu
