// Max pooling and nearest-neighbour upsampling of NHWC tensors.
#pragma once

#include "engine/base/geometry.h"
#include "kernels/api/read_map.h"
#include "kernels/api/view.h"

namespace glia {

/// y = the largest element of each window; `index` (u8, same shape as y) = r * window + s of it.
/// Ties and NaN: the first in row-major order wins a tie; a NaN wins over every number.
/// x may be read through a map (read_map.h). docs/ops/max_pool2d.md
struct MaxPool2dForward {
  static constexpr const char* kName = "max_pool2d_forward";
  PoolGeometry geometry;
  ConstView x, x_map{};
  View y, index;
};

/// dx[the maximum's place] += dy; every other element of dx is 0 (or kept, when accumulating).
struct MaxPool2dBackward {
  static constexpr const char* kName = "max_pool2d_backward";
  PoolGeometry geometry;
  ConstView dy, index;
  View dx;
  Write write = Write::overwrite;
};

/// y[n, h, w, c] = x[n, h / factor, w / factor, c]. docs/ops/upsample_nearest2d.md
struct UpsampleNearest2dForward {
  static constexpr const char* kName = "upsample_nearest2d_forward";
  ConstView x;
  View y;
  std::int64_t factor = 2;
};

/// dx = the sum of dy over the factor x factor pixels that copied x.
struct UpsampleNearest2dBackward {
  static constexpr const char* kName = "upsample_nearest2d_backward";
  ConstView dy;
  View dx;
  std::int64_t factor = 2;
  Write write = Write::overwrite;
};

}  // namespace glia
