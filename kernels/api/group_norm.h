// group_norm: like batch_norm, with the statistics of each image and each group of C / groups
// neighbouring channels (Wu & He, 2018). Derivation: docs/ops/group_norm.md.
#pragma once

#include "kernels/api/operands.h"
#include "kernels/api/view.h"

namespace glia {

/// x, y [N,H,W,C]; gamma, beta [C]; mean, invstd [N, groups] are saved for the backward pass.
struct GroupNormForward {
  ConstView x, gamma, beta;
  View y, mean, invstd;
  std::int64_t groups = 1;
  double epsilon = 1e-5;
};
template <class V>
void visit(GroupNormForward& a, const V& v) {
  v("x", Role::in, a.x);
  v("gamma", Role::in, a.gamma);
  v("beta", Role::in, a.beta);
  v("y", Role::out, a.y);
  v("mean", Role::out, a.mean);
  v("invstd", Role::out, a.invstd);
}

/// `write` holds for dx (may be empty), `write_params` for dgamma and dbeta (always given).
struct GroupNormBackward {
  ConstView dy, x, gamma, mean, invstd;
  View dx{}, dgamma, dbeta;
  std::int64_t groups = 1;
  Write write = Write::overwrite;
  Write write_params = Write::overwrite;
};
template <class V>
void visit(GroupNormBackward& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("x", Role::in, a.x);
  v("gamma", Role::in, a.gamma);
  v("mean", Role::in, a.mean);
  v("invstd", Role::in, a.invstd, Content::positive);
  v("dx", gradient(a.write), a.dx);
  v("dgamma", gradient(a.write_params), a.dgamma);
  v("dbeta", gradient(a.write_params), a.dbeta);
}

}  // namespace glia
