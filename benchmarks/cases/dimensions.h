// What can be said of an operation at any shape.
#pragma once

#include <cstdint>

#include "engine/base/geometry.h"

namespace glia::cases {

/// The shape of the input, [N,H,W,C] or, element by element, any; and what some operations take
/// besides. An extent of 0 was not given.
struct Dimensions {
  Shape shape;
  std::int64_t R = 0, S = 0, K = 0;         // window and output channels of a convolution
  std::int64_t stride_h = 0, stride_w = 0;  // not given: 1; of max_pool2d its window
  std::int64_t padding = 0;
  bool same = false;  // the padding that keeps H and W at stride 1
  std::int64_t window = 2, factor = 2, groups = 1;

  std::int64_t channels() const { return shape.channels(); }
  ConvSpec spec() const {
    return {.stride_h = stride_h > 0 ? stride_h : 1,
            .stride_w = stride_w > 0 ? stride_w : 1,
            .padding = same ? Padding::same(R, S) : Padding::all(padding)};
  }
};

/// One of them besides the shape.
enum class Dimension : std::uint8_t { kernel, stride, padding, window, factor, groups };

}  // namespace glia::cases
