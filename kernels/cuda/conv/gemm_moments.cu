// The second pass of moments that were taken in a convolution's epilogue (gemm_moments.h): the
// parts of all rows of tiles are merged, in double.
//
// Work: a block a channel, whose threads (1, n) stride over the parts, which are neighbours in
// memory, and merge by halves. Chan's rule for any number of parts: first the mean of all, then
// each part's squared deviations from it, its own and rows * (its mean - mean)^2. Shared memory: a
// double a thread.
#include <algorithm>
#include <bit>

#include "kernels/cuda/columns.h"
#include "kernels/cuda/conv/gemm_launch.h"

namespace glia::GLIA_GPU {
namespace {

constexpr unsigned kThreads = 256;

struct Smem {
  double of[kThreads];
};

__global__ void __launch_bounds__(kThreads) conv_moments_merge(ResultMoments moments) {
  Smem& smem = gpu::shared<Smem>();
  const int channel = blockIdx.x;
  double sum = 0, rows = 0;
  for (int tile = threadIdx.y; tile < moments.tiles; tile += blockDim.y) {
    const double of_tile = moments.rows(tile);
    rows += of_tile;
    sum += of_tile * moments.mean(channel, tile);
  }
  rows = column_sum(rows, smem.of);
  const double mean = column_sum(sum, smem.of) / rows;

  double squares = 0;
  for (int tile = threadIdx.y; tile < moments.tiles; tile += blockDim.y) {
    const double d = moments.mean(channel, tile) - mean;
    squares += moments.squares(channel, tile) + moments.rows(tile) * (d * d);
  }
  squares = column_sum(squares, smem.of);
  if (threadIdx.y != 0) return;
  moments.total[channel] = mean;
  moments.total[moments.pitch + channel] = squares;
}

}  // namespace

ResultMoments reserve_moments(KernelContext& context, const Output& output, std::int64_t tiles) {
  ResultMoments moments = output.moments;
  moments.channels = output.columns;
  moments.tiles = narrow(tiles);
  moments.parts = context.workspace.array<float>((2 * std::int64_t{output.columns} + 1) * tiles);
  return moments;
}

void merge_moments(KernelContext& context, const ResultMoments& moments) {
  const unsigned threads = std::bit_ceil(static_cast<unsigned>(moments.tiles));
  gpu::launch(conv_moments_merge,
              {.grid = static_cast<unsigned>(moments.channels),
               .block = dim3(1, std::clamp(threads, 32u, kThreads)),
               .smem_bytes = sizeof(Smem),
               .stream = static_cast<cudaStream_t>(context.stream),
               .name = "conv_moments_merge"},
              moments);
}

}  // namespace glia::GLIA_GPU
