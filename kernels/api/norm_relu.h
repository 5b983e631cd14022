// A batch norm with ReLU whose result need not be stored: what lies in memory is its input x, and
// whoever reads it applies a map (read_map.h). Derivation: docs/ops/batch_norm_relu.md.
#pragma once

#include <cstdint>

#include "engine/base/geometry.h"
#include "kernels/api/operands.h"
#include "kernels/api/read_map.h"
#include "kernels/api/view.h"

namespace glia {

/// moments f64 [2, C]: the mean of each channel over N, H, W and its sum of squared deviations.
struct ChannelMoments {
  ConstView x;
  View moments;
};
template <class V>
void visit(ChannelMoments& a, const V& v) {
  v("x", Role::in, a.x);
  v("moments", Role::out, a.moments);
}

/// From the moments of `rows` pixels to the map of gamma * (x - mean) * invstd + beta and ReLU:
/// scale = gamma * invstd, shift = beta - mean * scale, floor 0. The rest as BatchNormForwardTrain.
struct BatchNormReluMapTrain {
  ConstView moments, gamma, beta;
  View map, mean, invstd, running_mean, running_var;
  std::int64_t rows = 0;
  double momentum = 0.1;
  double epsilon = 1e-5;
};
template <class V>
void visit(BatchNormReluMapTrain& a, const V& v) {
  v("moments", Role::in, a.moments, Content::positive);
  v("gamma", Role::in, a.gamma);
  v("beta", Role::in, a.beta);
  v("map", Role::out, a.map);
  v("mean", Role::out, a.mean);
  v("invstd", Role::out, a.invstd);
  v("running_mean", Role::update, a.running_mean);
  v("running_var", Role::update, a.running_var, Content::positive);
}

/// The same with the running statistics.
struct BatchNormReluMapEval {
  ConstView gamma, beta, running_mean, running_var;
  View map;
  double epsilon = 1e-5;
};
template <class V>
void visit(BatchNormReluMapEval& a, const V& v) {
  v("gamma", Role::in, a.gamma);
  v("beta", Role::in, a.beta);
  v("running_mean", Role::in, a.running_mean);
  v("running_var", Role::in, a.running_var, Content::positive);
  v("map", Role::out, a.map);
}

/// With dz = dy where the map of x is above 0, else 0: dbeta = sum dz; dgamma = sum dz * xhat; dx
/// as BatchNormBackwardTrain's of dz. dx overwrites and may be the memory of dy.
struct BatchNormReluBackwardTrain {
  ConstView dy, x, map, gamma, mean, invstd;
  View dx{}, dgamma, dbeta;  // dx may be empty
  Write write_params = Write::overwrite;
};
template <class V>
void visit(BatchNormReluBackwardTrain& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("x", Role::in, a.x);
  v("map", Role::in, a.map);
  v("gamma", Role::in, a.gamma);
  v("mean", Role::in, a.mean);
  v("invstd", Role::in, a.invstd, Content::positive);
  v("dx", Role::out, a.dx);
  v("dgamma", gradient(a.write_params), a.dgamma);
  v("dbeta", gradient(a.write_params), a.dbeta);
}

/// The same in two, so that the sums of shards of a batch can be added up in between. First
/// sums f64 [2, C] = sum of dz and sum of dz * (x - mean), and dbeta and dgamma of these rows.
struct BatchNormReluBackwardSums {
  ConstView dy, x, map, mean, invstd;
  View sums, dgamma, dbeta;
  Write write_params = Write::overwrite;
};
template <class V>
void visit(BatchNormReluBackwardSums& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("x", Role::in, a.x);
  v("map", Role::in, a.map);
  v("mean", Role::in, a.mean);
  v("invstd", Role::in, a.invstd, Content::positive);
  v("sums", Role::out, a.sums);
  v("dgamma", gradient(a.write_params), a.dgamma);
  v("dbeta", gradient(a.write_params), a.dbeta);
}

/// Then dx, by the sums over all `rows` of the batch. dx overwrites and may be the memory of dy.
struct BatchNormReluBackwardApply {
  ConstView dy, x, map, gamma, mean, invstd, sums;
  View dx;
  std::int64_t rows = 0;
};
template <class V>
void visit(BatchNormReluBackwardApply& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("x", Role::in, a.x);
  v("map", Role::in, a.map);
  v("gamma", Role::in, a.gamma);
  v("mean", Role::in, a.mean);
  v("invstd", Role::in, a.invstd, Content::positive);
  v("sums", Role::in, a.sums);
  v("dx", Role::out, a.dx);
}

/// With constant statistics: dx = scale * dz. dx overwrites and may be the memory of dy.
struct BatchNormReluBackwardEval {
  ConstView dy, x, map, gamma, running_mean, running_var;
  View dx{}, dgamma, dbeta;  // dx may be empty
  double epsilon = 1e-5;
  Write write_params = Write::overwrite;
};
template <class V>
void visit(BatchNormReluBackwardEval& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("x", Role::in, a.x);
  v("map", Role::in, a.map);
  v("gamma", Role::in, a.gamma);
  v("running_mean", Role::in, a.running_mean);
  v("running_var", Role::in, a.running_var, Content::positive);
  v("dx", Role::out, a.dx);
  v("dgamma", gradient(a.write_params), a.dgamma);
  v("dbeta", gradient(a.write_params), a.dbeta);
}

/// y = the map of x. With `pooled` also the maxima of 2x2 windows of y and their `index`, as
/// MaxPool2dForward gives them, in the same pass.
struct Materialise {
  ConstView x, map;
  View y, pooled{}, index{};
};
template <class V>
void visit(Materialise& a, const V& v) {
  v("x", Role::in, a.x);
  v("map", Role::in, a.map);
  v("y", Role::out, a.y);
  v("pooled", Role::out, a.pooled);
  v("index", Role::out, a.index, Content::place);
}

}  // namespace glia
