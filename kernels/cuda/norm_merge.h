// The moments of chunks, merged for a group: what norm.cu and batch_norm_relu.cu have in common.
#pragma once

#include "kernels/cuda/channels.h"
#include "kernels/cuda/columns.h"
#include "kernels/cuda/norm.h"

namespace glia::GLIA_GPU {

constexpr unsigned kMergeThreads = 256;

struct MergeSmem {
  double of[kMergeThreads];
};

struct Moments {
  double count, mean, squares;  // squares: the sum of squared deviations from the mean
};

/// Of the channels [c0, c0 + width) of a region, for all threads of a block of (1, n), which stride
/// over the chunks' sums. Chan's rule for any number of parts: first the mean of all, then each
/// part's squared deviations from it, which are its own and count * (its mean - mean)^2.
__device__ inline Moments merge_moments(const ChunkSums& sums, std::int64_t region, std::int64_t c0,
                                        std::int64_t width, MergeSmem& smem) {
  const RowChunks& cut = sums.cut;
  const std::int64_t first = sums.place(region, c0), parts = width * cut.chunks;
  const float* shift = sums.plane(ChunkSums::kShift) + first;
  const float* s1 = sums.plane(ChunkSums::kFirst) + first;
  const float* s2 = sums.plane(ChunkSums::kSecond) + first;
  const auto size = [&](std::int64_t part) {
    return static_cast<double>(cut.size(static_cast<unsigned>(part % cut.chunks)));
  };

  double total = 0;
  for (std::int64_t i = threadIdx.y; i < parts; i += blockDim.y)
    total += size(i) * shift[i] + s1[i];
  const double count = static_cast<double>(cut.rows * width);
  const double mean = column_sum(total, smem.of) / count;

  double squares = 0;
  for (std::int64_t i = threadIdx.y; i < parts; i += blockDim.y) {
    const double d = mean - shift[i];  // sum of (x - mean)^2 = sum of ((x - shift) - d)^2
    squares += s2[i] + d * (size(i) * d - 2.0 * s1[i]);
  }
  squares = column_sum(squares, smem.of);
  if (squares < 0) squares = 0;  // NaN stays
  return {count, mean, squares};
}

/// running = (1 - momentum) * running + momentum * what the batch has, its variance unbiased.
__device__ inline void update_running(const RunningStatistics& running, std::int64_t c,
                                      const Moments& batch) {
  const auto update = [&](float& value, double found) {
    value = static_cast<float>((1 - running.momentum) * value + running.momentum * found);
  };
  update(running.mean[c], batch.mean);
  update(running.var[c], batch.squares / (batch.count > 1 ? batch.count - 1 : 1));
}

/// Writes or adds the gradient of a parameter.
__device__ inline void put(float& to, double value, bool accumulate) {
  to = static_cast<float>(accumulate ? to + value : value);
}

/// A launch of a block for each group of `parts` sums.
LaunchConfig merge_config(const KernelContext& context, const char* name, std::int64_t blocks,
                          std::int64_t parts, std::size_t smem_bytes);

}  // namespace glia::GLIA_GPU
