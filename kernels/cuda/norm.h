// Group norm, and batch norm in training as its special case: one region of all rows in which each
// channel is a group.
#pragma once

#include "kernels/api/batch_norm.h"
#include "kernels/api/context.h"
#include "kernels/api/group_norm.h"
#include "kernels/cuda/launch.h"

namespace glia::GLIA_GPU {

/// Running statistics a channel, null if there are none; where groups = channels only.
struct RunningStatistics {
  float *mean = nullptr, *var = nullptr;
  double momentum = 0;
};

/// Statistics of each region and group, y = gamma * (x - mean) * invstd + beta, and the running
/// statistics. `mean` and `invstd` are [regions, groups].
void norm_forward(KernelContext& context, const GroupNormForward& a, std::int64_t regions,
                  const RunningStatistics& running);

/// Statistics that are constants for the gradient: `var` takes the place of invstd.
struct ConstantStatistics {
  const float* var = nullptr;
  double epsilon = 0;
  const float* scale = nullptr;  // gamma * invstd a channel, where it is known already
};

/// dgamma, dbeta and, unless it is empty, dx. With `constant.var` the statistics do not depend on
/// x. With a map (read_map.h) dy is the gradient of a ReLU after the norm: it counts where the map
/// of x is above its floor, of one region, and dx overwrites.
void norm_backward(KernelContext& context, const GroupNormBackward& a, std::int64_t regions,
                   const ConstantStatistics& constant, const ConstView& map = {});

/// The arguments of a batch norm's backward pass as those of a group norm of a channel a group;
/// without statistics of the batch its mean is the running one.
template <class Args>
GroupNormBackward as_group_norm(const Args& a) {
  GroupNormBackward g{};
  g.dy = a.dy, g.x = a.x, g.gamma = a.gamma;
  if constexpr (requires { a.invstd; })
    g.mean = a.mean, g.invstd = a.invstd;
  else
    g.mean = a.running_mean;
  g.dx = a.dx, g.dgamma = a.dgamma, g.dbeta = a.dbeta;
  g.groups = a.x.channels();
  if constexpr (requires { a.write; }) g.write = a.write;
  g.write_params = a.write_params;
  return g;
}

/// Channels, and so threads, of a block that has one a channel.
inline constexpr unsigned kChannelsABlock = 128;

inline LaunchConfig a_thread_a_channel(const KernelContext& context, const char* name,
                                       std::int64_t channels) {
  return {.grid = static_cast<unsigned>((channels + kChannelsABlock - 1) / kChannelsABlock),
          .block = kChannelsABlock,
          .stream = static_cast<cudaStream_t>(context.stream),
          .name = name};
}

}  // namespace glia::GLIA_GPU
