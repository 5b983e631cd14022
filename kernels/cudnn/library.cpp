#include "kernels/cudnn/library.h"

#include "engine/base/check.h"
#include "kernels/cuda/launch.h"
#include "kernels/cudnn/functions.h"
#include "kernels/cudnn/status.h"

namespace glia::cudnn {

Library::Library(cudaStream_t stream) : blas_(stream) {
  // Engines that bring tensors into another order want as much as these take.
  std::size_t available = 0, total = 0;
  cuda::check(cudaMemGetInfo(&available, &total), "cudaMemGetInfo");
  max_workspace_ = total / 8;
  require_success(cudnn().cudnnCreate(&handle_), "creating a handle");
  if (const auto status = cudnn().cudnnSetStream(handle_, stream); status != CUDNN_STATUS_SUCCESS) {
    cudnn().cudnnDestroy(handle_);
    require_success(status, "setting the stream");
  }
}

Library::~Library() {
  cudnn().cudnnDestroy(handle_);  // errors have nowhere to go here
}

Library& library_of(const KernelContext& context) {
  check(context.vendor != nullptr, "cudnn: this device was not opened with --backend cudnn");
  return *static_cast<Library*>(context.vendor);
}

}  // namespace glia::cudnn
