// A batch norm with ReLU whose result need not be stored: what lies in memory is its input x, and
// whoever reads it applies a map (read_map.h). Derivation: docs/ops/batch_norm_relu.md.
#pragma once

#include <cstdint>

#include "engine/base/geometry.h"
#include "kernels/api/read_map.h"
#include "kernels/api/view.h"

namespace glia {

/// moments f64 [2, C]: the mean of each channel over N, H, W and its sum of squared deviations.
struct ChannelMoments {
  static constexpr const char* kName = "channel_moments";
  ConstView x;
  View moments;
};

/// From the moments of `rows` pixels to the map of gamma * (x - mean) * invstd + beta and ReLU:
/// scale = gamma * invstd, shift = beta - mean * scale, floor 0. The rest as BatchNormForwardTrain.
struct BatchNormReluMapTrain {
  static constexpr const char* kName = "batch_norm_relu_map_train";
  ConstView moments, gamma, beta;
  View map, mean, invstd, running_mean, running_var;
  std::int64_t rows = 0;
  double momentum = 0.1;
  double epsilon = 1e-5;
};

/// The same with the running statistics.
struct BatchNormReluMapEval {
  static constexpr const char* kName = "batch_norm_relu_map_eval";
  ConstView gamma, beta, running_mean, running_var;
  View map;
  double epsilon = 1e-5;
};

/// With dz = dy where the map of x is above 0, else 0: dbeta = sum dz; dgamma = sum dz * xhat; dx
/// as BatchNormBackwardTrain's of dz. dx overwrites and may be the memory of dy.
struct BatchNormReluBackwardTrain {
  static constexpr const char* kName = "batch_norm_relu_backward_train";
  ConstView dy, x, map, gamma, mean, invstd;
  View dx{}, dgamma, dbeta;  // dx may be empty
  Write write_params = Write::overwrite;
};

/// With constant statistics: dx = scale * dz. dx overwrites and may be the memory of dy.
struct BatchNormReluBackwardEval {
  static constexpr const char* kName = "batch_norm_relu_backward_eval";
  ConstView dy, x, map, gamma, running_mean, running_var;
  View dx{}, dgamma, dbeta;  // dx may be empty
  double epsilon = 1e-5;
  Write write_params = Write::overwrite;
};

/// y = the map of x. With `pooled` also the maxima of 2x2 windows of y and their `index`, as
/// MaxPool2dForward gives them, in the same pass.
struct Materialise {
  static constexpr const char* kName = "materialise";
  ConstView x, map;
  View y, pooled{}, index{};
};

}  // namespace glia
