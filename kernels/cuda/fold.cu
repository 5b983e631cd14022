// Sums over the shards of a batch: kernels/api/shards.h, docs/ops/fold.md. Elements, or channels,
// have nothing to do with each other: a thread takes one after another and goes through the shards
// by itself. No shared memory.
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/norm.h"
#include "kernels/cuda/reduce.h"
#include "kernels/cuda/strided.h"

namespace glia::GLIA_GPU {
namespace {

constexpr int kThreads = 256;

template <class T>
__global__ void __launch_bounds__(kThreads)
    fold_parts(T* parts, std::int64_t count, std::int64_t n) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < n; i += stride)
    for (std::int64_t step = 1; step < count; step *= 2)
      for (std::int64_t part = 0; part + step < count; part += 2 * step)
        parts[part * n + i] += parts[(part + step) * n + i];
}

__global__ void __launch_bounds__(kChannelsABlock)
    merge_moments_of_parts(const double* parts, std::int64_t count, double rows,
                           std::int64_t channels, Strided<double> moments) {
  const std::int64_t c = std::int64_t{blockIdx.x} * kChannelsABlock + threadIdx.x;
  if (c >= channels) return;
  double total = 0;
  for (std::int64_t i = 0; i < count; ++i) total += parts[2 * i * channels + c];
  const double mean = total / static_cast<double>(count);
  double squares = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const double d = parts[2 * i * channels + c] - mean;
    squares += parts[(2 * i + 1) * channels + c] + rows * d * d;
  }
  *moments.at(0, c) = mean;
  *moments.at(1, c) = squares;
}

template <class T>
void fold_as(KernelContext& context, const Fold& a) {
  const std::int64_t count = a.parts.shape[0], n = a.parts.shape.numel() / count;
  gpu::launch(fold_parts<T>,
              {.grid = share_among_blocks(context, n, kThreads, 1),
               .block = kThreads,
               .stream = static_cast<cudaStream_t>(context.stream),
               .name = "fold"},
              a.parts.as<T>(), count, n);
}

}  // namespace

void fold(KernelContext& context, const Fold& a) {
  if (a.parts.dtype == DType::f64)
    fold_as<double>(context, a);
  else
    fold_as<float>(context, a);
}

void merge_moments(KernelContext& context, const MergeMoments& a) {
  const std::int64_t channels = a.moments.channels();
  gpu::launch(merge_moments_of_parts, a_thread_a_channel(context, "merge_moments", channels),
              a.parts.as<double>(), a.parts.shape[0], static_cast<double>(a.rows), channels,
              strided<double>(a.moments));
}

}  // namespace glia::GLIA_GPU
