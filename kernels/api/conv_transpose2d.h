// conv_transpose2d: the adjoint of conv2d as a layer. With the geometry of that convolution
// (`conv_transpose2d_geometry`: its input is our output), x [N,P,Q,K], w [K,R,S,C], b [C]:
//   y[n,h,w,c] = b[c] + sum of x[n,p,q,k] * w[k,r,s,c] over h = p*stride_h + r - pad_top, w
//   likewise.
// Derivation: docs/ops/conv_transpose2d.md.
#pragma once

#include "engine/base/geometry.h"
#include "kernels/api/operands.h"
#include "kernels/api/read_map.h"
#include "kernels/api/view.h"

namespace glia {

/// x [N,P,Q,K], w [K,R,S,C], b [C] or empty -> y [N,H,W,C]. x may be read through a map
/// (read_map.h).
struct ConvTranspose2dForward {
  ConvGeometry geometry;
  ConstView x, x_map{}, w, b{};
  View y;
};
template <class V>
void visit(ConvTranspose2dForward& a, const V& v) {
  v("x", Role::in, a.x);
  v("x_map", Role::in, a.x_map);
  v("w", Role::in, a.w);
  v("b", Role::in, a.b);
  v("y", Role::out, a.y);
}

/// dy [N,H,W,C], w -> dx [N,P,Q,K]: an ordinary convolution of dy.
struct ConvTranspose2dDgrad {
  ConvGeometry geometry;
  ConstView dy, w;
  View dx;
  Write write = Write::overwrite;
};
template <class V>
void visit(ConvTranspose2dDgrad& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("w", Role::in, a.w);
  v("dx", gradient(a.write), a.dx);
}

/// dy [N,H,W,C], x [N,P,Q,K] -> dw [K,R,S,C] and db [C] = sum dy (db may be empty). x may be read
/// through a map.
struct ConvTranspose2dWgrad {
  ConvGeometry geometry;
  ConstView dy, x, x_map{};
  View dw, db{};
  Write write = Write::overwrite;
  Write write_bias = Write::overwrite;
};
template <class V>
void visit(ConvTranspose2dWgrad& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("x", Role::in, a.x);
  v("x_map", Role::in, a.x_map);
  v("dw", gradient(a.write), a.dw);
  v("db", gradient(a.write_bias), a.db);
}

}  // namespace glia
