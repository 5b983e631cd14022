// Max pooling and nearest-neighbour upsampling of NHWC tensors.
#pragma once

#include "engine/base/geometry.h"
#include "kernels/api/operands.h"
#include "kernels/api/read_map.h"
#include "kernels/api/view.h"

namespace glia {

/// y = the largest element of each window; `index` (u8, same shape as y) = r * window + s of it.
/// Ties and NaN: the first in row-major order wins a tie; a NaN wins over every number.
/// x may be read through a map (read_map.h). docs/ops/max_pool2d.md
struct MaxPool2dForward {
  PoolGeometry geometry;
  ConstView x, x_map{};
  View y, index;
};
template <class V>
void visit(MaxPool2dForward& a, const V& v) {
  v("x", Role::in, a.x);
  v("x_map", Role::in, a.x_map);
  v("y", Role::out, a.y);
  v("index", Role::out, a.index, Content::place);
}

/// dx[the maximum's place] += dy; every other element of dx is 0 (or kept, when accumulating).
struct MaxPool2dBackward {
  PoolGeometry geometry;
  ConstView dy, index;
  View dx;
  Write write = Write::overwrite;
};
template <class V>
void visit(MaxPool2dBackward& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("index", Role::in, a.index, Content::place);
  v("dx", gradient(a.write), a.dx);
}

/// y[n, h, w, c] = x[n, h / factor, w / factor, c]. docs/ops/upsample_nearest2d.md
struct UpsampleNearest2dForward {
  ConstView x;
  View y;
  std::int64_t factor = 2;
};
template <class V>
void visit(UpsampleNearest2dForward& a, const V& v) {
  v("x", Role::in, a.x);
  v("y", Role::out, a.y);
}

/// dx = the sum of dy over the factor x factor pixels that copied x.
struct UpsampleNearest2dBackward {
  ConstView dy;
  View dx;
  std::int64_t factor = 2;
  Write write = Write::overwrite;
};
template <class V>
void visit(UpsampleNearest2dBackward& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("dx", gradient(a.write), a.dx);
}

}  // namespace glia
