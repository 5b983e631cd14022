#include "engine/runtime/gpu_backends.h"

#if defined(GLIA_HAS_CUDNN)
#include "kernels/cudnn/backend.h"
#endif

namespace glia {

const GpuBackend* find_gpu_backend([[maybe_unused]] std::string_view name) {
#if defined(GLIA_HAS_CUDA)
  if (name == "cuda") return &cuda::backend();
#endif
#if defined(GLIA_HAS_CUDNN)
  if (name == "cudnn") return &cudnn::backend();
#endif
#if defined(GLIA_HAS_EMU)
  if (name == "emu") return &emulated::backend();
#endif
  return nullptr;
}

bool is_our_gpu(const KernelTable& kernels) {
  return kernels.name == std::string_view("emu") || kernels.name == std::string_view("cuda");
}

}  // namespace glia
