// batch_norm: y = gamma * (x - mean) * invstd + beta per channel, invstd = 1 / sqrt(var + epsilon)
// (Ioffe & Szegedy, 2015). Derivation: docs/ops/batch_norm.md.
#pragma once

#include "kernels/api/view.h"

namespace glia {

/// Statistics of this batch over N, H, W: `mean` and `invstd` (biased variance) are saved for the
/// backward pass; running = (1 - momentum) * running + momentum * batch, with the unbiased
/// variance.
struct BatchNormForwardTrain {
  static constexpr const char* kName = "batch_norm_forward_train";
  ConstView x, gamma, beta;
  View y, mean, invstd, running_mean, running_var;
  double momentum = 0.1;
  double epsilon = 1e-5;
};

/// The running statistics instead of the batch's.
struct BatchNormForwardEval {
  static constexpr const char* kName = "batch_norm_forward_eval";
  ConstView x, gamma, beta, running_mean, running_var;
  View y;
  double epsilon = 1e-5;
};

/// dbeta = sum dy; dgamma = sum dy * xhat;
/// dx = gamma * invstd * (dy - dbeta / M - xhat * dgamma / M), M rows.
/// dgamma and dbeta are always given; `write` holds for dx, `write_params` for the other two.
struct BatchNormBackwardTrain {
  static constexpr const char* kName = "batch_norm_backward_train";
  ConstView dy, x, gamma, mean, invstd;
  View dx{}, dgamma, dbeta;  // dx may be empty
  Write write = Write::overwrite;
  Write write_params = Write::overwrite;
};

/// With constant statistics: dx = gamma * invstd * dy; dgamma and dbeta as above.
struct BatchNormBackwardEval {
  static constexpr const char* kName = "batch_norm_backward_eval";
  ConstView dy, x, gamma, running_mean, running_var;
  View dx{}, dgamma, dbeta;  // dx may be empty
  double epsilon = 1e-5;
  Write write = Write::overwrite;
  Write write_params = Write::overwrite;
};

}  // namespace glia
