// The handles of cuDNN and cuBLAS that belong to one device, and the plans made with them.
#pragma once

#include "kernels/cudnn/blas.h"
#include "kernels/cudnn/plan.h"

namespace glia::cudnn {

class Library {
 public:
  /// On the current GPU; everything is queued on `stream`. Throws `Error`.
  explicit Library(cudaStream_t stream);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  cudnnHandle_t handle() const { return handle_; }
  /// Bytes that an engine may want.
  std::size_t max_workspace() const { return max_workspace_; }
  Blas& blas() { return blas_; }
  Plans& plans() { return plans_; }
  const Plans& plans() const { return plans_; }

 private:
  // Several times the plans of a large network with two batch sizes, so that those which a recorded
  // step uses are not evicted while it is replayed.
  static constexpr std::size_t kPlans = 1024;

  cudnnHandle_t handle_ = nullptr;
  std::size_t max_workspace_ = 0;
  Blas blas_;
  Plans plans_{kPlans};
};

/// That of the device whose kernels are called with `context`.
Library& library_of(const KernelContext& context);

}  // namespace glia::cudnn
