// Element-wise operations, pooling and upsampling.
#include <algorithm>
#include <cmath>

#include "engine/base/rng.h"
#include "benchmarks/reference/reference.h"

namespace glia::reference {

Values relu(const Values& x) {
  Values y;
  for (double v : x) y.push_back(v <= 0 ? 0 : v);
  return y;
}

Values sigmoid(const Values& x) {
  Values y;
  for (double v : x) y.push_back(1 / (1 + std::exp(-v)));
  return y;
}

Values dropout(const Values& x, double p, std::uint64_t seed, std::uint64_t stream) {
  const Random random(seed, stream);
  Values y;
  for (std::size_t i = 0; i < x.size(); ++i)
    y.push_back(random.uniform(i) >= p ? x[i] / (1 - p) : 0);
  return y;
}

Values threshold(const Values& x, double t) {
  Values mask;
  for (double v : x) mask.push_back(v > t ? 1 : v <= t ? 0 : v);
  return mask;
}

Pooled max_pool2d(const PoolGeometry& g, const Values& x) {
  Pooled result;
  for (std::int64_t n = 0; n < g.N; ++n)
    for (std::int64_t p = 0; p < g.P; ++p)
      for (std::int64_t q = 0; q < g.Q; ++q)
        for (std::int64_t c = 0; c < g.C; ++c) {
          double largest = 0;
          std::int64_t place = -1;
          for (std::int64_t i = 0; i < g.window * g.window; ++i) {
            const std::int64_t h = p * g.stride + i / g.window, w = q * g.stride + i % g.window;
            const double v = x[static_cast<std::size_t>(((n * g.H + h) * g.W + w) * g.C + c)];
            if (place < 0 || v > largest || (std::isnan(v) && !std::isnan(largest))) {
              largest = v;
              place = i;
            }
          }
          result.y.push_back(largest);
          result.index.push_back(static_cast<double>(place));
        }
  return result;
}

Values upsample_nearest2d(const Shape& shape, std::int64_t factor, const Values& x) {
  const std::int64_t N = shape[0], H = shape[1], W = shape[2], C = shape[3];
  Values y;
  for (std::int64_t n = 0; n < N; ++n)
    for (std::int64_t h = 0; h < H * factor; ++h)
      for (std::int64_t w = 0; w < W * factor; ++w)
        for (std::int64_t c = 0; c < C; ++c)
          y.push_back(x[static_cast<std::size_t>(((n * H + h / factor) * W + w / factor) * C + c)]);
  return y;
}

}  // namespace glia::reference
