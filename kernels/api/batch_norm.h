// batch_norm: y = gamma * (x - mean) * invstd + beta per channel, invstd = 1 / sqrt(var + epsilon)
// (Ioffe & Szegedy, 2015). Derivation: docs/ops/batch_norm.md.
#pragma once

#include "kernels/api/operands.h"
#include "kernels/api/view.h"

namespace glia {

/// Statistics of this batch over N, H, W: `mean` and `invstd` (biased variance) are saved for the
/// backward pass; running = (1 - momentum) * running + momentum * batch, with the unbiased
/// variance.
struct BatchNormForwardTrain {
  ConstView x, gamma, beta;
  View y, mean, invstd, running_mean, running_var;
  double momentum = 0.1;
  double epsilon = 1e-5;
};
template <class V>
void visit(BatchNormForwardTrain& a, const V& v) {
  v("x", Role::in, a.x);
  v("gamma", Role::in, a.gamma);
  v("beta", Role::in, a.beta);
  v("y", Role::out, a.y);
  v("mean", Role::out, a.mean);
  v("invstd", Role::out, a.invstd);
  v("running_mean", Role::update, a.running_mean);
  v("running_var", Role::update, a.running_var, Content::positive);
}

/// The running statistics instead of the batch's.
struct BatchNormForwardEval {
  ConstView x, gamma, beta, running_mean, running_var;
  View y;
  double epsilon = 1e-5;
};
template <class V>
void visit(BatchNormForwardEval& a, const V& v) {
  v("x", Role::in, a.x);
  v("gamma", Role::in, a.gamma);
  v("beta", Role::in, a.beta);
  v("running_mean", Role::in, a.running_mean);
  v("running_var", Role::in, a.running_var, Content::positive);
  v("y", Role::out, a.y);
}

/// dbeta = sum dy; dgamma = sum dy * xhat;
/// dx = gamma * invstd * (dy - dbeta / M - xhat * dgamma / M), M rows.
/// dgamma and dbeta are always given; `write` holds for dx, `write_params` for the other two.
struct BatchNormBackwardTrain {
  ConstView dy, x, gamma, mean, invstd;
  View dx{}, dgamma, dbeta;  // dx may be empty
  Write write = Write::overwrite;
  Write write_params = Write::overwrite;
};
template <class V>
void visit(BatchNormBackwardTrain& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("x", Role::in, a.x);
  v("gamma", Role::in, a.gamma);
  v("mean", Role::in, a.mean);
  v("invstd", Role::in, a.invstd, Content::positive);
  v("dx", gradient(a.write), a.dx);
  v("dgamma", gradient(a.write_params), a.dgamma);
  v("dbeta", gradient(a.write_params), a.dbeta);
}

/// With constant statistics: dx = gamma * invstd * dy; dgamma and dbeta as above.
struct BatchNormBackwardEval {
  ConstView dy, x, gamma, running_mean, running_var;
  View dx{}, dgamma, dbeta;  // dx may be empty
  double epsilon = 1e-5;
  Write write = Write::overwrite;
  Write write_params = Write::overwrite;
};
template <class V>
void visit(BatchNormBackwardEval& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("x", Role::in, a.x);
  v("gamma", Role::in, a.gamma);
  v("running_mean", Role::in, a.running_mean);
  v("running_var", Role::in, a.running_var, Content::positive);
  v("dx", gradient(a.write), a.dx);
  v("dgamma", gradient(a.write_params), a.dgamma);
  v("dbeta", gradient(a.write_params), a.dbeta);
}

}  // namespace glia
