#include "kernels/cuda/table.h"

#include "kernels/cuda/conv/conv_choice.h"
#include "kernels/cuda/kernels.h"

namespace glia::GLIA_GPU {

const KernelTable& table() {
  static constexpr KernelTable kTable = {
#if defined(GLIA_EMULATED)
    .name = "emu",
#else
    .name = "cuda",
#endif
    .dtype = DType::f32,
    .tf32 = true,
    .algorithm = conv_algorithm,
#define GLIA_KERNEL(name, Args, op, phase) .name = name,
#define GLIA_MAP_KERNEL(name, Args, op, phase)
#include "kernels/api/list.h"
  };
  return kTable;
}

}  // namespace glia::GLIA_GPU
