// Batch norm with ReLU as a map that materialise applies, and its backward pass:
// kernels/api/norm_relu.h. The sums and their merging are those of batch norm (channels.cu,
// norm.cu); the map is made by a thread a channel. Shared memory: a double a thread where moments
// are merged.
#include "kernels/cuda/channels.h"
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/norm.h"
#include "kernels/cuda/norm_merge.h"

namespace glia::GLIA_GPU {
namespace {

/// A block a channel.
__global__ void __launch_bounds__(kMergeThreads)
    channel_moments_merge(ChunkSums sums, double* mean, double* squares) {
  const Moments found = merge_moments(sums, 0, blockIdx.x, 1, gpu::shared<MergeSmem>());
  if (threadIdx.y != 0) return;
  mean[blockIdx.x] = found.mean;
  squares[blockIdx.x] = found.squares;
}

struct MapTarget {
  Strided<float> map;

  __device__ void set(std::int64_t c, double factor, double beta, double mean) const {
    *map.at(MapRow::scale, c) = static_cast<float>(factor);
    *map.at(MapRow::shift, c) = static_cast<float>(beta - mean * factor);
    *map.at(MapRow::floor, c) = 0;
  }
};

struct Affine {
  const float *gamma, *beta;
  double epsilon;
};

__global__ void __launch_bounds__(kChannelsABlock)
    batch_norm_relu_map_of_moments(Strided<const double> moments, double rows, Affine affine,
                                   std::int64_t channels, MapTarget to, float* mean, float* invstd,
                                   RunningStatistics running) {
  const std::int64_t c = std::int64_t{blockIdx.x} * kChannelsABlock + threadIdx.x;
  if (c >= channels) return;
  const Moments found{rows, *moments.at(0, c), *moments.at(1, c)};
  const double inv = 1 / sqrt(found.squares / rows + affine.epsilon);
  to.set(c, affine.gamma[c] * inv, affine.beta[c], found.mean);
  mean[c] = static_cast<float>(found.mean);
  invstd[c] = static_cast<float>(inv);
  update_running(running, c, found);
}

__global__ void __launch_bounds__(kChannelsABlock)
    batch_norm_relu_map_of_running(const float* mean, const float* var, Affine affine,
                                   std::int64_t channels, MapTarget to) {
  const std::int64_t c = std::int64_t{blockIdx.x} * kChannelsABlock + threadIdx.x;
  if (c >= channels) return;
  to.set(c, affine.gamma[c] / sqrt(var[c] + affine.epsilon), affine.beta[c], mean[c]);
}

struct SumTargets {
  Strided<double> sums;
  float *dgamma, *dbeta;
  bool accumulate;
};

/// A block a channel.
__global__ void __launch_bounds__(kMergeThreads)
    batch_norm_relu_backward_merge(ChunkSums sums, const float* invstd, SumTargets to) {
  MergeSmem& smem = gpu::shared<MergeSmem>();
  const std::int64_t c = blockIdx.x, first = sums.place(0, c);
  double sum = 0, dot = 0;
  for (std::int64_t i = threadIdx.y; i < sums.cut.chunks; i += blockDim.y) {
    sum += sums.plane(ChunkSums::kFirst)[first + i];
    dot += sums.plane(ChunkSums::kSecond)[first + i];
  }
  sum = column_sum(sum, smem.of);
  dot = column_sum(dot, smem.of);
  if (threadIdx.y != 0) return;
  *to.sums.at(0, c) = sum;
  *to.sums.at(1, c) = dot;
  put(to.dbeta[c], sum, to.accumulate);
  put(to.dgamma[c], dot * invstd[c], to.accumulate);
}

struct Normalisation {
  const float *gamma, *mean, *invstd;
};

__global__ void __launch_bounds__(kChannelsABlock)
    batch_norm_relu_backward_coefficients(Strided<const double> sums, double rows,
                                          Normalisation norm, std::int64_t channels,
                                          float* coefficients) {
  const std::int64_t c = std::int64_t{blockIdx.x} * kChannelsABlock + threadIdx.x;
  if (c >= channels) return;
  const double inv = norm.invstd[c], scale = norm.gamma[c] * inv;
  const auto set = [&](Coefficient which, double value) {
    coefficients[which * channels + c] = static_cast<float>(value);
  };
  set(kOfU, scale);
  set(kOfV, -scale * inv * inv * *sums.at(1, c) / rows);
  set(kCentre, norm.mean[c]);
  set(kConstant, -scale * *sums.at(0, c) / rows);
}

}  // namespace

void channel_moments(KernelContext& context, const ChannelMoments& a) {
  const ChunkSums sums = reserve_sums(context, 1, a.x, row_pack(a.x));
  channel_moments(context, a.x, sums);
  gpu::launch(channel_moments_merge,
              merge_config(context, "channel_moments_merge", a.x.channels(), sums.cut.chunks,
                           sizeof(MergeSmem)),
              sums, a.moments.as<double>(), a.moments.as<double>() + a.moments.pitch);
}

void batch_norm_relu_map_train(KernelContext& context, const BatchNormReluMapTrain& a) {
  const std::int64_t channels = a.map.channels();
  gpu::launch(batch_norm_relu_map_of_moments,
              a_thread_a_channel(context, "batch_norm_relu_map_of_moments", channels),
              strided<double>(a.moments), static_cast<double>(a.rows),
              Affine{a.gamma.as<float>(), a.beta.as<float>(), a.epsilon}, channels,
              MapTarget{strided<float>(a.map)}, a.mean.as<float>(), a.invstd.as<float>(),
              RunningStatistics{a.running_mean.as<float>(), a.running_var.as<float>(), a.momentum});
}

void batch_norm_relu_map_eval(KernelContext& context, const BatchNormReluMapEval& a) {
  const std::int64_t channels = a.map.channels();
  gpu::launch(batch_norm_relu_map_of_running,
              a_thread_a_channel(context, "batch_norm_relu_map_of_running", channels),
              a.running_mean.as<float>(), a.running_var.as<float>(),
              Affine{a.gamma.as<float>(), a.beta.as<float>(), a.epsilon}, channels,
              MapTarget{strided<float>(a.map)});
}

void batch_norm_relu_backward_train(KernelContext& context, const BatchNormReluBackwardTrain& a) {
  norm_backward(context, as_group_norm(a), 1, {}, a.map);
}

void batch_norm_relu_backward_sums(KernelContext& context, const BatchNormReluBackwardSums& a) {
  const std::int64_t channels = a.x.channels();
  const ChunkSums sums = reserve_sums(context, 1, a.x, row_pack(a.dy, a.x, a.map));
  channel_gradients(context, a.dy, a.x, a.map, a.mean.as<float>(), channels, sums);
  gpu::launch(batch_norm_relu_backward_merge,
              merge_config(context, "batch_norm_relu_backward_merge", channels, sums.cut.chunks,
                           sizeof(MergeSmem)),
              sums, a.invstd.as<float>(),
              SumTargets{strided<double>(a.sums), a.dgamma.as<float>(), a.dbeta.as<float>(),
                         a.write_params == Write::accumulate});
}

void batch_norm_relu_backward_apply(KernelContext& context, const BatchNormReluBackwardApply& a) {
  const std::int64_t channels = a.x.channels();
  auto* coefficients = context.workspace.array<float>(kCoefficients * channels);
  gpu::launch(batch_norm_relu_backward_coefficients,
              a_thread_a_channel(context, "batch_norm_relu_backward_coefficients", channels),
              strided<double>(a.sums), static_cast<double>(a.rows),
              Normalisation{a.gamma.as<float>(), a.mean.as<float>(), a.invstd.as<float>()},
              channels, coefficients);
  channel_affine_relu(context, a.dy, a.x, a.map, a.dx, coefficients);
}

void batch_norm_relu_backward_eval(KernelContext& context, const BatchNormReluBackwardEval& a) {
  norm_backward(
      context, as_group_norm(a), 1,
      {a.running_var.as<float>(), a.epsilon, a.map.as<float>() + MapRow::scale * a.map.pitch},
      a.map);
}

}  // namespace glia::GLIA_GPU
