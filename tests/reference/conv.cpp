// Convolution and its transpose, straight from their sums.
#include "tests/reference/reference.h"

namespace glia::reference {

namespace {

std::size_t at(std::int64_t i, std::int64_t j, std::int64_t k, std::int64_t l, const Shape& shape) {
  return static_cast<std::size_t>(((i * shape[1] + j) * shape[2] + k) * shape[3] + l);
}

/// Calls `visit(n, p, q, r, s, h, w)` for every window element that lies inside the image.
template <class Visit>
void for_each_tap(const ConvGeometry& g, Visit visit) {
  for (std::int64_t n = 0; n < g.N; ++n)
    for (std::int64_t p = 0; p < g.P; ++p)
      for (std::int64_t q = 0; q < g.Q; ++q)
        for (std::int64_t r = 0; r < g.R; ++r)
          for (std::int64_t s = 0; s < g.S; ++s) {
            const std::int64_t h = p * g.stride_h + r - g.pad_top;
            const std::int64_t w = q * g.stride_w + s - g.pad_left;
            if (h >= 0 && h < g.H && w >= 0 && w < g.W) visit(n, p, q, r, s, h, w);
          }
}

/// A result that starts from the bias (or 0) in every pixel.
Values start_from_bias(const Shape& shape, const Values& b) {
  Values y(static_cast<std::size_t>(shape.numel()));
  if (!b.empty())
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = b[i % b.size()];
  return y;
}

}  // namespace

Values conv2d(const ConvGeometry& g, const Values& x, const Values& w, const Values& b) {
  Values y = start_from_bias(g.y_shape(), b);
  for_each_tap(g, [&](auto n, auto p, auto q, auto r, auto s, auto h, auto column) {
    for (std::int64_t k = 0; k < g.K; ++k) {
      double sum = 0;
      for (std::int64_t c = 0; c < g.C; ++c)
        sum += x[at(n, h, column, c, g.x_shape())] * w[at(k, r, s, c, g.w_shape())];
      y[at(n, p, q, k, g.y_shape())] += sum;
    }
  });
  return y;
}

Values conv_transpose2d(const ConvGeometry& g, const Values& x, const Values& w, const Values& b) {
  Values y = start_from_bias(g.x_shape(), b);
  for_each_tap(g, [&](auto n, auto p, auto q, auto r, auto s, auto h, auto column) {
    for (std::int64_t c = 0; c < g.C; ++c) {
      double sum = 0;
      for (std::int64_t k = 0; k < g.K; ++k)
        sum += x[at(n, p, q, k, g.y_shape())] * w[at(k, r, s, c, g.w_shape())];
      y[at(n, h, column, c, g.x_shape())] += sum;
    }
  });
  return y;
}

}  // namespace glia::reference
