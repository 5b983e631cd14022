// Pooling and upsampling.
#include "benchmarks/suite/reference.h"

namespace glia::bench {

double reference(const MaxPool2dForward& a, const void* output, Element e) {
  const PoolGeometry& g = a.geometry;
  const auto [n, p, q] = pixel_of(e.row, g.P, g.Q);
  double best = 0;
  std::int64_t place = -1;
  for (std::int64_t i = 0; i < g.window * g.window; ++i) {
    const std::int64_t h = p * g.stride + i / g.window, w = q * g.stride + i % g.window;
    const double x = element(a.x, a.x_map, {row_of(n, h, w, g.H, g.W), e.channel});
    if (place >= 0 && x <= best) continue;
    best = x;
    place = i;
  }
  return output == a.index.data ? static_cast<double>(place) : best;
}

double reference(const MaxPool2dBackward& a, const void*, Element e) {
  const PoolGeometry& g = a.geometry;
  const auto [n, h, w] = pixel_of(e.row, g.H, g.W);
  double sum = 0;
  for (std::int64_t i = 0; i < g.window * g.window; ++i) {
    const std::int64_t from_top = h - i / g.window, from_left = w - i % g.window;
    if (from_top < 0 || from_top % g.stride != 0 || from_left < 0 || from_left % g.stride != 0)
      continue;
    const std::int64_t p = from_top / g.stride, q = from_left / g.stride;
    if (p >= g.P || q >= g.Q) continue;
    const Element window{row_of(n, p, q, g.P, g.Q), e.channel};
    if (element(a.index, window) == static_cast<double>(i)) sum += element(a.dy, window);
  }
  return sum;
}

double reference(const UpsampleNearest2dForward& a, const void*, Element e) {
  const auto [n, h, w] = pixel_of(e.row, a.y.shape[1], a.y.shape[2]);
  return element(a.x,
                 {row_of(n, h / a.factor, w / a.factor, a.x.shape[1], a.x.shape[2]), e.channel});
}

double reference(const UpsampleNearest2dBackward& a, const void*, Element e) {
  const auto [n, h, w] = pixel_of(e.row, a.dx.shape[1], a.dx.shape[2]);
  double sum = 0;
  for (std::int64_t i = 0; i < a.factor * a.factor; ++i)
    sum += element(a.dy, {row_of(n, h * a.factor + i / a.factor, w * a.factor + i % a.factor,
                                 a.dy.shape[1], a.dy.shape[2]),
                          e.channel});
  return sum;
}

}  // namespace glia::bench
