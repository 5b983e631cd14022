// What stands between the passes over memory of a normalisation: the sums of the chunks are merged,
// in a fixed order and in double, and turned into statistics or gradients and into the coefficients
// of the second pass. Formulas: docs/ops/group_norm.md.
//
// Work: a block a region and group, in the backward pass also one a channel for the parameters; its
// threads (1, n) stride over the chunks' sums, which are neighbours in memory, and merge by halves.
// Shared memory: a double a thread, backward two: 2 and 4 KiB.
#include <bit>

#include "kernels/cuda/channels.h"
#include "kernels/cuda/columns.h"
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/norm.h"
#include "kernels/cuda/norm_merge.h"

namespace glia::GLIA_GPU {
namespace {

constexpr unsigned kThreads = kMergeThreads;

struct Pair {
  double first, second;

  __device__ void operator+=(const Pair& other) {
    first += other.first;
    second += other.second;
  }
};

struct BackwardSmem {
  Pair of[kThreads];
};

/// The coefficient `which` of channel c of a region.
__device__ float& coefficient(const ChunkSums& sums, std::int64_t region, Coefficient which,
                              std::int64_t c) {
  return sums.coefficients[(region * kCoefficients + which) * sums.cut.channels + c];
}

struct ForwardTargets {
  float *mean, *invstd;
  RunningStatistics running;
};

__global__ void __launch_bounds__(kThreads)
    norm_forward_merge(ChunkSums sums, unsigned groups, const float* gamma, const float* beta,
                       double epsilon, ForwardTargets to) {
  MergeSmem& smem = gpu::shared<MergeSmem>();
  const std::int64_t region = blockIdx.x / groups, width = sums.cut.channels / groups;
  const std::int64_t c0 = blockIdx.x % groups * width;
  const Moments found = merge_moments(sums, region, c0, width, smem);
  const double inv = 1 / sqrt(found.squares / found.count + epsilon);

  for (std::int64_t c = c0 + threadIdx.y; c < c0 + width; c += blockDim.y) {
    coefficient(sums, region, kOfV, c) = static_cast<float>(gamma[c] * inv);
    coefficient(sums, region, kCentre, c) = static_cast<float>(found.mean);
    coefficient(sums, region, kConstant, c) = beta[c];
  }
  if (threadIdx.y != 0) return;
  to.mean[blockIdx.x] = static_cast<float>(found.mean);
  to.invstd[blockIdx.x] = static_cast<float>(inv);
  if (to.running.mean != nullptr) update_running(to.running, c0, found);
}

struct Statistics {
  const float *mean, *invstd;
  ConstantStatistics constant;

  __device__ double inv(std::int64_t i) const {
    return constant.var == nullptr ? invstd[i] : 1 / sqrt(constant.var[i] + constant.epsilon);
  }
};

struct ParameterTargets {
  float *dgamma, *dbeta;
  bool accumulate;
};

/// The coefficients of dx for group `group` of a region.
__device__ void merge_group(const ChunkSums& sums, std::int64_t region, std::int64_t group,
                            std::int64_t groups, const float* gamma, const Statistics& statistics,
                            Pair* memory) {
  const RowChunks& cut = sums.cut;
  const std::int64_t width = cut.channels / groups, c0 = group * width;
  const double inv = statistics.inv(region * groups + group);
  if (statistics.constant.var != nullptr) {
    for (std::int64_t c = c0 + threadIdx.y; c < c0 + width; c += blockDim.y) {
      const float* scale = statistics.constant.scale;
      coefficient(sums, region, kOfU, c) =
          scale != nullptr ? scale[c] : static_cast<float>(gamma[c] * inv);
      coefficient(sums, region, kOfV, c) = 0;
      coefficient(sums, region, kCentre, c) = 0;
      coefficient(sums, region, kConstant, c) = 0;
    }
    return;
  }

  const std::int64_t first = sums.place(region, c0);
  const float* s1 = sums.plane(ChunkSums::kFirst) + first;
  const float* s2 = sums.plane(ChunkSums::kSecond) + first;
  Pair total{};  // of gamma * dy and of gamma * dy * (x - mean)
  for (std::int64_t i = threadIdx.y; i < width * cut.chunks; i += blockDim.y) {
    const double g = gamma[c0 + i / cut.chunks];
    total += {g * s1[i], g * s2[i]};
  }
  total = column_sum(total, memory);
  const double share = 1 / static_cast<double>(cut.rows * width);
  for (std::int64_t c = c0 + threadIdx.y; c < c0 + width; c += blockDim.y) {
    coefficient(sums, region, kOfU, c) = static_cast<float>(gamma[c] * inv);
    coefficient(sums, region, kOfV, c) =
        static_cast<float>(-inv * inv * inv * total.second * share);
    coefficient(sums, region, kCentre, c) = statistics.mean[region * groups + group];
    coefficient(sums, region, kConstant, c) = static_cast<float>(-inv * total.first * share);
  }
}

/// dgamma and dbeta of channel c.
__device__ void merge_channel(const ChunkSums& sums, std::int64_t c, std::int64_t groups,
                              const Statistics& statistics, const ParameterTargets& to,
                              Pair* memory) {
  const RowChunks& cut = sums.cut;
  const std::int64_t group = c / (cut.channels / groups);
  Pair total{};
  for (std::int64_t i = threadIdx.y; i < cut.regions * cut.chunks; i += blockDim.y) {
    const std::int64_t region = i / cut.chunks, at = sums.place(region, c) + i % cut.chunks;
    const double inv = statistics.inv(region * groups + group);
    total += {sums.plane(ChunkSums::kFirst)[at], sums.plane(ChunkSums::kSecond)[at] * inv};
  }
  total = column_sum(total, memory);
  if (threadIdx.y != 0) return;
  put(to.dbeta[c], total.first, to.accumulate);
  put(to.dgamma[c], total.second, to.accumulate);
}

// Blocks [0, group_blocks) take a region and group each, the others a channel.
__global__ void __launch_bounds__(kThreads)
    norm_backward_merge(ChunkSums sums, unsigned groups, unsigned group_blocks, const float* gamma,
                        Statistics statistics, ParameterTargets to) {
  BackwardSmem& smem = gpu::shared<BackwardSmem>();
  if (blockIdx.x < group_blocks)
    merge_group(sums, blockIdx.x / groups, blockIdx.x % groups, groups, gamma, statistics, smem.of);
  else
    merge_channel(sums, blockIdx.x - group_blocks, groups, statistics, to, smem.of);
}

}  // namespace

LaunchConfig merge_config(const KernelContext& context, const char* name, std::int64_t blocks,
                          std::int64_t parts, std::size_t smem_bytes) {
  require(blocks < (std::int64_t{1} << 31), "normalisation",
          "found more statistics than a launch has blocks");
  const unsigned threads =
      parts >= kThreads ? kThreads : std::max(32u, std::bit_ceil(static_cast<unsigned>(parts)));
  return {.grid = static_cast<unsigned>(blocks),
          .block = dim3(1, threads),
          .smem_bytes = smem_bytes,
          .stream = static_cast<cudaStream_t>(context.stream),
          .name = name};
}

void norm_forward(KernelContext& context, const GroupNormForward& a, std::int64_t regions,
                  const RunningStatistics& running) {
  const ChunkSums sums = reserve_sums(context, regions, a.x, row_pack(a.x));
  channel_moments(context, a.x, sums);
  const std::int64_t parts = a.x.channels() / a.groups * sums.cut.chunks;
  gpu::launch(
      norm_forward_merge,
      merge_config(context, "norm_forward_merge", regions * a.groups, parts, sizeof(MergeSmem)),
      sums, static_cast<unsigned>(a.groups), a.gamma.as<float>(), a.beta.as<float>(), a.epsilon,
      ForwardTargets{a.mean.as<float>(), a.invstd.as<float>(), running});
  channel_affine(context, regions, {}, a.x, a.y, Write::overwrite, sums.coefficients);
}

void norm_backward(KernelContext& context, const GroupNormBackward& a, std::int64_t regions,
                   const ConstantStatistics& constant, const ConstView& map) {
  const ChunkSums sums = reserve_sums(context, regions, a.x, row_pack(a.dy, a.x, map));
  channel_gradients(context, a.dy, a.x, map, a.mean.as<float>(), a.groups, sums);
  const std::int64_t group_blocks = a.dx ? regions * a.groups : 0;
  const std::int64_t parts = std::max(a.x.channels() / a.groups, regions) * sums.cut.chunks;
  gpu::launch(norm_backward_merge,
              merge_config(context, "norm_backward_merge", group_blocks + a.x.channels(), parts,
                           sizeof(BackwardSmem)),
              sums, static_cast<unsigned>(a.groups), static_cast<unsigned>(group_blocks),
              a.gamma.as<float>(), Statistics{a.mean.as<float>(), a.invstd.as<float>(), constant},
              ParameterTargets{a.dgamma.as<float>(), a.dbeta.as<float>(),
                               a.write_params == Write::accumulate});
  if (!a.dx) return;
  if (map) return channel_affine_relu(context, a.dy, a.x, map, a.dx, sums.coefficients);
  const ConstView x = constant.var == nullptr ? a.x : ConstView{};
  channel_affine(context, regions, a.dy, x, a.dx, a.write, sums.coefficients);
}

}  // namespace glia::GLIA_GPU
