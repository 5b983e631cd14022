// Convolution and its transpose, straight from their sums.
#include <numeric>

#include "benchmarks/reference/reference.h"

namespace glia::reference {

namespace {

/// Row (i, j, k) of `values`, which has `shape`: the elements of its last extent lie in one piece.
template <class V>
auto* row(V& values, std::int64_t i, std::int64_t j, std::int64_t k, const Shape& shape) {
  return values.data() + ((i * shape[1] + j) * shape[2] + k) * shape[3];
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
  const Shape x_shape = g.x_shape(), w_shape = g.w_shape(), y_shape = g.y_shape();
  Values y = start_from_bias(y_shape, b);
  for_each_tap(g, [&](auto n, auto p, auto q, auto r, auto s, auto h, auto column) {
    const double* pixel = row(x, n, h, column, x_shape);
    double* out = row(y, n, p, q, y_shape);
    for (std::int64_t k = 0; k < g.K; ++k)
      out[k] += std::transform_reduce(pixel, pixel + g.C, row(w, k, r, s, w_shape), 0.0);
  });
  return y;
}

Values conv_transpose2d(const ConvGeometry& g, const Values& x, const Values& w, const Values& b) {
  const Shape x_shape = g.x_shape(), w_shape = g.w_shape(), y_shape = g.y_shape();
  Values y = start_from_bias(x_shape, b);
  for_each_tap(g, [&](auto n, auto p, auto q, auto r, auto s, auto h, auto column) {
    const double* pixel = row(x, n, p, q, y_shape);
    double* out = row(y, n, h, column, x_shape);
    for (std::int64_t k = 0; k < g.K; ++k) {
      const double* weights = row(w, k, r, s, w_shape);
      for (std::int64_t c = 0; c < g.C; ++c) out[c] += pixel[k] * weights[c];
    }
  });
  return y;
}

}  // namespace glia::reference
