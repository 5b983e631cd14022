#include "kernels/cuda/table.h"

#include "kernels/cuda/conv/conv_choice.h"
#include "kernels/cuda/kernels.h"

namespace glia::GLIA_GPU {

namespace {

constexpr KernelTable table_of(DType activations, const KernelTable* in_bf16) {
  return {
#if defined(GLIA_EMULATED)
    .name = "emu",
#else
    .name = "cuda",
#endif
    .activations = activations, .in_bf16 = in_bf16, .maps = Maps::written, .maps_results = true,
    .gives_moments = true, .tf32 = activations == DType::f32, .algorithm = conv_algorithm,
    .reads_map = conv_reads_map, .augment_batch = augment_batch,
#define GLIA_KERNEL(name, Args, op, phase) .name = name,
#include "kernels/api/list.h"
  };
}

constexpr KernelTable kInBf16 = table_of(DType::bf16, nullptr);
constexpr KernelTable kTable = table_of(DType::f32, &kInBf16);

}  // namespace

const KernelTable& table() {
  return kTable;
}

}  // namespace glia::GLIA_GPU
