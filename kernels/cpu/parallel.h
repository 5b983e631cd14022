// Threads for the CPU kernels.
#pragma once

#include <omp.h>

#include <cstdint>

#include "engine/base/divide.h"
#include "kernels/api/context.h"

namespace glia::cpu {

/// Calls `fn(i)` for every i in [0, count) on the context's threads, in no particular order. `fn`
/// must not throw, and no result may depend on which thread ran what.
template <class Fn>
void parallel_for(const KernelContext& context, std::int64_t count, const Fn& fn) {
  if (context.threads == 1 || count <= 1) {
    for (std::int64_t i = 0; i < count; ++i) fn(i);
    return;
  }
#pragma omp parallel for num_threads(context.threads) schedule(dynamic)
  for (std::int64_t i = 0; i < count; ++i) fn(i);
}

/// The calling thread's number in [0, context.threads): the place of its scratch memory.
inline int thread_number() {
  return omp_get_thread_num();
}

}  // namespace glia::cpu
