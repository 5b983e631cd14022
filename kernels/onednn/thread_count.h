// The threads that oneDNN takes: as many as OpenMP would give to a parallel region of the caller.
#pragma once

#include <dnnl_config.h>
#include <omp.h>

namespace glia::onednn {

static_assert(DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP,
              "this backend sets the threads of a oneDNN that uses OpenMP");

/// `threads` of them until it goes out of scope. They are those of our own kernels, which use the
/// same OpenMP, so no core gets two.
class ThreadCount {
 public:
  explicit ThreadCount(int threads) : before_(omp_get_max_threads()) {
    omp_set_num_threads(threads);
  }
  ~ThreadCount() { omp_set_num_threads(before_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

}  // namespace glia::onednn
