// The second pass of a product whose sums were split: a thread an element adds the partial results,
// always in the same order, and rounds once if the output is bf16. No shared memory.
#include "kernels/cuda/conv/gemm_launch.h"

namespace glia::GLIA_GPU {
namespace {

constexpr int kThreads = 128;

__global__ void __launch_bounds__(kThreads)
    gemm_splits_merge(const float* partials, int splits, Output output) {
  const std::int64_t count = std::int64_t{output.rows} * output.columns;
  const std::int64_t step = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < count; i += step) {
    float sum = partials[i];
#pragma unroll 8
    for (int split = 1; split < splits; ++split) sum += partials[split * count + i];
    float bias = 0;
    const int column = static_cast<int>(i % output.columns);
    const std::int64_t offset = output.offset(column, bias);
    const int row = static_cast<int>(i / output.columns);
    const std::int64_t to = output.row(row, output.grid().digits(row)) + offset;
    sum += bias;
    if (output.map.data) sum = output.map(column, sum);
    if (output.bf16)
      output.put<1, Bf16>(to, &sum);
    else
      output.put<1, float>(to, &sum);
  }
}

}  // namespace

void merge_splits(KernelContext& context, const float* partials, int splits, const Output& output) {
  gpu::launch(gemm_splits_merge,
              {.grid = blocks_for(context, std::int64_t{output.rows} * output.columns, kThreads),
               .block = kThreads,
               .stream = static_cast<cudaStream_t>(context.stream),
               .name = "gemm_splits_merge"},
              partials, splits, output);
}

}  // namespace glia::GLIA_GPU
