#include "engine/runtime/start_threads.h"

#include <algorithm>

#include "engine/base/check.h"
#include "kernels/cpu/table.h"

namespace glia {

void start_threads(int threads) {
  const int possible = cpu::start_threads(threads);
  check(possible == threads,
        "--threads {}: the system starts only {} (ulimit -v, -d and -u, or a control group, limit "
        "their stacks and number); pass --threads {}, or raise the limit",
        threads, possible, std::max(possible / 2, 1));
}

}  // namespace glia
