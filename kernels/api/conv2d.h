// conv2d: y[n,p,q,k] = b[k] + sum_{r,s,c} x[n, p*stride_h + r - pad_top, q*stride_w + s - pad_left,
// c]
//                                        * w[k,r,s,c],  pixels outside the image counting as 0.
// Three passes with three signatures: a backend never has to guess which one is meant.
// Derivation: docs/ops/conv2d.md.
#pragma once

#include <cstdint>

#include "engine/base/geometry.h"
#include "kernels/api/operands.h"
#include "kernels/api/read_map.h"
#include "kernels/api/view.h"

namespace glia {

/// The three passes, for choices of kernels.
enum class ConvPass : std::uint8_t { forward, dgrad, wgrad };

/// x [N,H,W,C], w [K,R,S,C], b [K] or empty -> y [N,P,Q,K]. x may be read through a map
/// (read_map.h). `moments`, when given: f64 [2, K], the mean of y a channel and its sum of squared
/// deviations, before y is rounded where a kernel holds its sums whole, else of y; where a backend
/// gives them (KernelTable::gives_moments). `y_map`, when given: y is what that map makes of the
/// result, rounded once, with no pass of its own; where a backend says so
/// (KernelTable::maps_results), and without moments.
struct Conv2dForward {
  ConvGeometry geometry;
  ConstView x, x_map{}, w, b{}, y_map{};
  View y, moments{};
};
template <class V>
void visit(Conv2dForward& a, const V& v) {
  v("x", Role::in, a.x);
  v("x_map", Role::in, a.x_map);
  v("w", Role::in, a.w);
  v("b", Role::in, a.b);
  v("y_map", Role::in, a.y_map);
  v("y", Role::out, a.y);
  v("moments", Role::out, a.moments, Content::unchecked);
}

/// dx[n,h,w,c] = sum of dy * w over every output pixel that read x[n,h,w,c]; the adjoint in x.
struct Conv2dDgrad {
  ConvGeometry geometry;
  ConstView dy, w;
  View dx;
  Write write = Write::overwrite;
};
template <class V>
void visit(Conv2dDgrad& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("w", Role::in, a.w);
  v("dx", gradient(a.write), a.dx);
}

/// dw[k,r,s,c] = sum_{n,p,q} dy[n,p,q,k] * x[...]; db[k] = sum dy (db may be empty). The adjoint in
/// w. `write` holds for dw, `write_bias` for db. x may be read through a map.
struct Conv2dWgrad {
  ConvGeometry geometry;
  ConstView dy, x, x_map{};
  View dw, db{};
  Write write = Write::overwrite;
  Write write_bias = Write::overwrite;
};
template <class V>
void visit(Conv2dWgrad& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("x", Role::in, a.x);
  v("x_map", Role::in, a.x_map);
  v("dw", gradient(a.write), a.dw);
  v("db", gradient(a.write_bias), a.db);
}

}  // namespace glia
