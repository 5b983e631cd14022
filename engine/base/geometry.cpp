#include "engine/base/geometry.h"

#include "engine/base/check.h"

namespace glia {

namespace {

void check_spec(const ConvSpec& spec, const char* op) {
  check(spec.stride_h >= 1 && spec.stride_w >= 1, "{}: found stride {}x{}, expected 1 or more", op,
        spec.stride_h, spec.stride_w);
  const Padding& pad = spec.padding;
  check(pad.top >= 0 && pad.bottom >= 0 && pad.left >= 0 && pad.right >= 0,
        "{}: found a negative padding, expected 0 or more", op);
}

void check_ranks(const Shape& x, const Shape& w, const char* op) {
  check(x.rank() == 4, "{}: input is {}, expected [N, H, W, C]", op, x.str());
  check(w.rank() == 4 && w.numel() > 0, "{}: weight is {}, expected four non-zero extents", op,
        w.str());
}

}  // namespace

double ConvGeometry::flops() const {
  return 2.0 * static_cast<double>(N * P * Q) * static_cast<double>(K * R * S * C);
}

double ConvGeometry::bytes() const {
  return 4.0 * (static_cast<double>(x_shape().numel()) + static_cast<double>(w_shape().numel()) +
                static_cast<double>(y_shape().numel()));
}

ConvGeometry conv2d_geometry(const Shape& x, const Shape& w, const ConvSpec& spec, const char* op) {
  check_ranks(x, w, op);
  check_spec(spec, op);
  check(x[3] == w[3], "{}: input {} has {} channels, weight {} expects {}", op, x.str(), x[3],
        w.str(), w[3]);
  const Padding& pad = spec.padding;
  const std::int64_t height = x[1] + pad.top + pad.bottom, width = x[2] + pad.left + pad.right;
  check(height >= w[1] && width >= w[2],
        "{}: the window {}x{} is larger than the padded input {}x{} (input {})", op, w[1], w[2],
        height, width, x.str());
  return {.N = x[0],
          .H = x[1],
          .W = x[2],
          .C = x[3],
          .K = w[0],
          .R = w[1],
          .S = w[2],
          .P = (height - w[1]) / spec.stride_h + 1,
          .Q = (width - w[2]) / spec.stride_w + 1,
          .stride_h = spec.stride_h,
          .stride_w = spec.stride_w,
          .pad_top = pad.top,
          .pad_left = pad.left};
}

ConvGeometry conv_transpose2d_geometry(const Shape& x, const Shape& w, const ConvSpec& spec) {
  const char* op = "conv_transpose2d";
  check_ranks(x, w, op);
  check_spec(spec, op);
  check(x[3] == w[0], "{}: input {} has {} channels, weight {} expects {}", op, x.str(), x[3],
        w.str(), w[0]);
  check(x[1] > 0 && x[2] > 0, "{}: input {} has no pixels", op, x.str());
  const Padding& pad = spec.padding;
  const std::int64_t height = (x[1] - 1) * spec.stride_h + w[1] - pad.top - pad.bottom;
  const std::int64_t width = (x[2] - 1) * spec.stride_w + w[2] - pad.left - pad.right;
  check(height > 0 && width > 0, "{}: padding leaves no output pixel (input {}, weight {})", op,
        x.str(), w.str());
  return {.N = x[0],
          .H = height,
          .W = width,
          .C = w[3],
          .K = w[0],
          .R = w[1],
          .S = w[2],
          .P = x[1],
          .Q = x[2],
          .stride_h = spec.stride_h,
          .stride_w = spec.stride_w,
          .pad_top = pad.top,
          .pad_left = pad.left};
}

PoolGeometry max_pool2d_geometry(const Shape& x, std::int64_t window, std::int64_t stride) {
  check(x.rank() == 4, "max_pool2d: input is {}, expected [N, H, W, C]", x.str());
  check(window >= 1 && window <= 16 && stride >= 1,
        "max_pool2d: found window {} and stride {}, expected a window of 1 to 16 and a stride of 1 "
        "or more",
        window, stride);
  check(x[1] >= window && x[2] >= window,
        "max_pool2d: the window {}x{} is larger than the input {}", window, window, x.str());
  return {.N = x[0],
          .H = x[1],
          .W = x[2],
          .C = x[3],
          .P = (x[1] - window) / stride + 1,
          .Q = (x[2] - window) / stride + 1,
          .window = window,
          .stride = stride};
}

}  // namespace glia
