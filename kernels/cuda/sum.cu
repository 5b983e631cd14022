// y = alpha * sum of x: kernels/api/elementwise.h, docs/ops/sum.md.
//
// Work: of T threads in the grid, thread i adds the elements i, i + T, i + 2T, ... in double; a
// block of 256 merges its threads, and one warp of a second launch the blocks. T depends on the
// number of elements and on the GPU, so a channel slice gives the bits of its dense copy. Shared
// memory: a double a warp, 256 bytes.
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/reduce.h"
#include "kernels/cuda/strided.h"

namespace glia::GLIA_GPU {
namespace {

constexpr int kThreads = 256;

template <class T>
__global__ void __launch_bounds__(kThreads)
    sum_forward_partial(const T* x, std::int64_t count, std::int64_t channels, std::int64_t pitch,
                        double* partials) {
  auto& smem = gpu::shared<WarpValues<double>>();
  const std::int64_t step = std::int64_t{gridDim.x} * kThreads;
  const std::int64_t first = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  // One division here instead of one an element.
  const std::int64_t row_step = step / channels, channel_step = step % channels;
  std::int64_t row = first / channels, channel = first % channels;
  double total = 0;
#pragma unroll 4
  for (std::int64_t i = first; i < count; i += step) {
    total += read_pack<1>(x + row * pitch + channel).at[0];
    row += row_step;
    channel += channel_step;
    if (channel >= channels) {
      channel -= channels;
      ++row;
    }
  }
  total = block_sum(total, smem);
  if (threadIdx.x == 0) partials[blockIdx.x] = total;
}

__global__ void __launch_bounds__(32)
    sum_forward_finish(const double* partials, unsigned count, double alpha, float* y) {
  const double total = warp_total(partials, count);
  if (threadIdx.x == 0) *y = static_cast<float>(alpha * total);
}

}  // namespace

void finish_sum(KernelContext& context, const double* partials, unsigned count, double alpha,
                float* y) {
  gpu::launch(sum_forward_finish,
              {.grid = 1,
               .block = 32,
               .stream = static_cast<cudaStream_t>(context.stream),
               .name = "sum_forward_finish"},
              partials, count, alpha, y);
}

void sum(KernelContext& context, const Sum& a) {
  const std::int64_t count = a.x.shape.numel();
  const unsigned blocks = share_among_blocks(context, count, kThreads, 8);
  auto* partials = context.workspace.array<double>(blocks);
  // A dense tensor is one long row.
  const std::int64_t row = std::max<std::int64_t>(1, a.x.dense() ? count : a.x.channels());
  with_type_of(a.x, [&](auto type) {
    using T = decltype(type);
    gpu::launch(sum_forward_partial<T>,
                {.grid = blocks,
                 .block = kThreads,
                 .smem_bytes = sizeof(WarpValues<double>),
                 .stream = static_cast<cudaStream_t>(context.stream),
                 .name = "sum_forward_partial"},
                a.x.as<T>(), count, row, a.x.pitch, partials);
  });
  finish_sum(context, partials, blocks, a.alpha, a.y.as<float>());
}

}  // namespace glia::GLIA_GPU
