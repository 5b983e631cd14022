#include "benchmarks/gpu_kit/golden/ptx_outputs_of.h"

namespace glia {
#if defined(GLIA_HAS_CUDA)
namespace cuda {
std::span<const kit::PtxOutput> ptx_outputs();
}
#endif
#if defined(GLIA_HAS_EMU)
namespace emulated {
std::span<const kit::PtxOutput> ptx_outputs();
}
#endif
}  // namespace glia

namespace glia::kit {

std::span<const PtxOutput> ptx_outputs_of([[maybe_unused]] std::string_view backend) {
#if defined(GLIA_HAS_CUDA)
  if (backend == "cuda") return cuda::ptx_outputs();
#endif
#if defined(GLIA_HAS_EMU)
  if (backend == "emu") return emulated::ptx_outputs();
#endif
  return {};
}

}  // namespace glia::kit
