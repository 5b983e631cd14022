#include "engine/runtime/cpu_backends.h"

namespace glia {

const CpuBackend* find_cpu_backend([[maybe_unused]] std::string_view name) {
#if defined(GLIA_HAS_ONEDNN)
  if (name == "onednn") return &onednn::backend();
  if (name == "onednn-blocked") return &onednn::backend_blocked();
#endif
  return nullptr;
}

}  // namespace glia
