// group_norm: like batch_norm, with the statistics of each image and each group of C / groups
// neighbouring channels (Wu & He, 2018). Derivation: docs/ops/group_norm.md.
#pragma once

#include "kernels/api/view.h"

namespace glia {

/// x, y [N,H,W,C]; gamma, beta [C]; mean, invstd [N, groups] are saved for the backward pass.
struct GroupNormForward {
  static constexpr const char* kName = "group_norm_forward";
  ConstView x, gamma, beta;
  View y, mean, invstd;
  std::int64_t groups = 1;
  double epsilon = 1e-5;
};

/// `write` holds for dx (may be empty), `write_params` for dgamma and dbeta (always given).
struct GroupNormBackward {
  static constexpr const char* kName = "group_norm_backward";
  ConstView dy, x, gamma, mean, invstd;
  View dx{}, dgamma, dbeta;
  std::int64_t groups = 1;
  Write write = Write::overwrite;
  Write write_params = Write::overwrite;
};

}  // namespace glia
