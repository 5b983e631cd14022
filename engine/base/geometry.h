// What follows from what the user asked for: the output shape, the work and the traffic of each
// operation with a window. This is the only place where those shapes are checked.
//
// Names are the field's: N H W C input, K output channels, R S kernel height and width, P Q output.
#pragma once

#include <cstdint>

#include "engine/base/shape.h"

namespace glia {

/// Rows and columns added around an image. Asymmetric, since a 2x2 "same" convolution needs it.
struct Padding {
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;

  static Padding all(std::int64_t n) { return {n, n, n, n}; }
  /// Padding that keeps H and W at stride 1; the odd pixel goes below and to the right.
  static Padding same(std::int64_t r, std::int64_t s) {
    return {(r - 1) / 2, r / 2, (s - 1) / 2, s / 2};
  }
};

/// What the user asked of a convolution.
struct ConvSpec {
  std::int64_t stride_h = 1, stride_w = 1;
  Padding padding;
};

/// A 2-D cross-correlation x[N,H,W,C] * w[K,R,S,C] -> y[N,P,Q,K] and its consequences.
struct ConvGeometry {
  std::int64_t N = 0, H = 0, W = 0, C = 0;
  std::int64_t K = 0, R = 0, S = 0;
  std::int64_t P = 0, Q = 0;
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;

  Shape x_shape() const { return {N, H, W, C}; }
  Shape w_shape() const { return {K, R, S, C}; }
  Shape y_shape() const { return {N, P, Q, K}; }
  /// Floating-point operations of any one of the three passes (a multiply-add counts 2).
  double flops() const;
  /// Bytes moved when each float32 operand is touched once.
  double bytes() const;
};

/// P = (H + top + bottom - R) / stride_h + 1, Q likewise. Throws `Error` naming `op` and both
/// shapes when ranks, channels or the window do not fit.
ConvGeometry conv2d_geometry(const Shape& x, const Shape& w, const ConvSpec& spec,
                             const char* op = "conv2d");

/// The transposed convolution x[N,H,W,C] -> y[N,P,Q,K] with w[C,R,S,K], described as the
/// convolution that it is the adjoint of: that one maps y-shaped to x-shaped tensors.
/// P = (H - 1) * stride_h + R - top - bottom, Q likewise.
ConvGeometry conv_transpose2d_geometry(const Shape& x, const Shape& w, const ConvSpec& spec);

/// Max pooling x[N,H,W,C] -> y[N,P,Q,C] without padding; a remainder at the border is dropped.
struct PoolGeometry {
  std::int64_t N = 0, H = 0, W = 0, C = 0;
  std::int64_t P = 0, Q = 0;
  std::int64_t window = 2, stride = 2;

  Shape x_shape() const { return {N, H, W, C}; }
  Shape y_shape() const { return {N, P, Q, C}; }
};

/// Throws `Error` when the window is larger than the image or has more than 256 pixels.
PoolGeometry max_pool2d_geometry(const Shape& x, std::int64_t window, std::int64_t stride);

}  // namespace glia
