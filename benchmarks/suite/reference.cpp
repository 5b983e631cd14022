#include "benchmarks/suite/reference.h"

#include <algorithm>
#include <cmath>

namespace glia::bench {

namespace {

/// The pixel (n, h, w) of an image as a row.
std::int64_t row_of(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t H,
                    std::int64_t W) {
  return (n * H + h) * W + w;
}

struct Pixel {
  std::int64_t n, h, w;
};
Pixel pixel_of(std::int64_t row, std::int64_t H, std::int64_t W) {
  return {row / (H * W), row / W % H, row % W};
}

double sum_of_channel(const ConstView& v, std::int64_t channel) {
  double sum = 0;
  for (std::int64_t row = 0; row < v.rows(); ++row) sum += element(v, {row, channel});
  return sum;
}

/// An operand's elements, perhaps through a map.
struct Read {
  ConstView view, map{};
  double operator()(Element e) const { return element(view, map, e); }
};

// The three bilinear forms behind conv2d and conv_transpose2d. `wide` is [N,H,W,C] and `narrow`
// [N,P,Q,K]; w is [K,R,S,C].

std::int64_t weight_row(const ConvGeometry& g, std::int64_t k, std::int64_t r, std::int64_t s) {
  return (k * g.R + r) * g.S + s;
}

/// narrow[n,p,q,k]
double correlate(const ConvGeometry& g, const Read& wide, const ConstView& w, Element e) {
  const auto [n, p, q] = pixel_of(e.row, g.P, g.Q);
  double sum = 0;
  for (std::int64_t r = 0; r < g.R; ++r) {
    for (std::int64_t s = 0; s < g.S; ++s) {
      const std::int64_t h = p * g.stride_h + r - g.pad_top, x = q * g.stride_w + s - g.pad_left;
      if (h < 0 || h >= g.H || x < 0 || x >= g.W) continue;
      for (std::int64_t c = 0; c < g.C; ++c)
        sum +=
            wide({row_of(n, h, x, g.H, g.W), c}) * element(w, {weight_row(g, e.channel, r, s), c});
    }
  }
  return sum;
}

/// wide[n,h,w,c]
double spread(const ConvGeometry& g, const Read& narrow, const ConstView& w, Element e) {
  const auto [n, h, x] = pixel_of(e.row, g.H, g.W);
  double sum = 0;
  for (std::int64_t r = 0; r < g.R; ++r) {
    for (std::int64_t s = 0; s < g.S; ++s) {
      const std::int64_t from_top = h + g.pad_top - r, from_left = x + g.pad_left - s;
      if (from_top < 0 || from_top % g.stride_h != 0 || from_left < 0 ||
          from_left % g.stride_w != 0)
        continue;
      const std::int64_t p = from_top / g.stride_h, q = from_left / g.stride_w;
      if (p >= g.P || q >= g.Q) continue;
      for (std::int64_t k = 0; k < g.K; ++k)
        sum += narrow({row_of(n, p, q, g.P, g.Q), k}) *
               element(w, {weight_row(g, k, r, s), e.channel});
    }
  }
  return sum;
}

/// dw[k,r,s,c]
double correlate_gradients(const ConvGeometry& g, const Read& narrow, const Read& wide, Element e) {
  const auto [k, r, s] = pixel_of(e.row, g.R, g.S);
  double sum = 0;
  for (std::int64_t row = 0; row < g.N * g.P * g.Q; ++row) {
    const auto [n, p, q] = pixel_of(row, g.P, g.Q);
    const std::int64_t h = p * g.stride_h + r - g.pad_top, x = q * g.stride_w + s - g.pad_left;
    if (h < 0 || h >= g.H || x < 0 || x >= g.W) continue;
    sum += narrow({row, k}) * wide({row_of(n, h, x, g.H, g.W), e.channel});
  }
  return sum;
}

struct Moments {
  double mean, variance;
};
Moments moments(const ConstView& x, std::int64_t channel) {
  const auto rows = static_cast<double>(x.rows());
  const double mean = sum_of_channel(x, channel) / rows;
  double squares = 0;
  for (std::int64_t row = 0; row < x.rows(); ++row) {
    const double d = element(x, {row, channel}) - mean;
    squares += d * d;
  }
  return {mean, squares / rows};
}

double sigmoid(double z) {
  return 1 / (1 + std::exp(-z));
}

/// Intersection and union of one region.
struct Overlap {
  double intersection = 0, union_ = 0;
};
Overlap overlap(const IouLossForward& a, std::int64_t region, std::int64_t regions) {
  const std::int64_t rows = a.logits.rows() / regions;
  Overlap found;
  for (std::int64_t row = region * rows; row < (region + 1) * rows; ++row) {
    for (std::int64_t c = 0; c < a.logits.channels(); ++c) {
      const double p = sigmoid(element(a.logits, {row, c})), t = element(a.target, {row, c});
      found.intersection += p * t;
      found.union_ += p + t - p * t;
    }
  }
  return found;
}

}  // namespace

double element(const ConstView& view, Element e) {
  const std::int64_t at = e.row * view.pitch + e.channel;
  switch (view.dtype) {
    case DType::f32: return view.as<float>()[at];
    case DType::f64: return view.as<double>()[at];
    case DType::u8: return view.as<std::uint8_t>()[at];
    case DType::i64: return static_cast<double>(view.as<std::int64_t>()[at]);
  }
  return 0;
}

double element(const ConstView& view, const ConstView& map, Element e) {
  const double x = element(view, e);
  if (!map) return x;
  const auto row = [&](std::int64_t r) { return element(map, {r, e.channel}); };
  return std::max(row(MapRow::scale) * x + row(MapRow::shift), row(MapRow::floor));
}

double reference(const Conv2dForward& a, const void*, Element e) {
  return correlate(a.geometry, {a.x, a.x_map}, a.w, e) + (a.b ? element(a.b, {0, e.channel}) : 0);
}

double reference(const Conv2dDgrad& a, const void*, Element e) {
  return spread(a.geometry, {a.dy}, a.w, e);
}

double reference(const Conv2dWgrad& a, const void* output, Element e) {
  if (output == a.db.data) return sum_of_channel(a.dy, e.channel);
  return correlate_gradients(a.geometry, {a.dy}, {a.x, a.x_map}, e);
}

double reference(const ConvTranspose2dForward& a, const void*, Element e) {
  return spread(a.geometry, {a.x, a.x_map}, a.w, e) + (a.b ? element(a.b, {0, e.channel}) : 0);
}

double reference(const ConvTranspose2dDgrad& a, const void*, Element e) {
  return correlate(a.geometry, {a.dy}, a.w, e);
}

double reference(const ConvTranspose2dWgrad& a, const void* output, Element e) {
  if (output == a.db.data) return sum_of_channel(a.dy, e.channel);
  return correlate_gradients(a.geometry, {a.x, a.x_map}, {a.dy}, e);
}

double reference(const BatchNormForwardTrain& a, const void* output, Element e) {
  const Element channel{0, e.channel};
  const auto [mean, variance] = moments(a.x, e.channel);
  const double invstd = 1 / std::sqrt(variance + a.epsilon);
  if (output == a.mean.data) return mean;
  if (output == a.invstd.data) return invstd;
  if (output == a.running_mean.data)
    return (1 - a.momentum) * element(a.running_mean, channel) + a.momentum * mean;
  if (output == a.running_var.data) {
    const auto rows = static_cast<double>(a.x.rows());
    return (1 - a.momentum) * element(a.running_var, channel) +
           a.momentum * variance * rows / std::max(1.0, rows - 1);
  }
  return element(a.gamma, channel) * (element(a.x, e) - mean) * invstd + element(a.beta, channel);
}

double reference(const BatchNormBackwardTrain& a, const void* output, Element e) {
  const Element channel{0, e.channel};
  const double mean = element(a.mean, channel), invstd = element(a.invstd, channel);
  const auto xhat = [&](std::int64_t row) {
    return (element(a.x, {row, e.channel}) - mean) * invstd;
  };
  double dgamma = 0, dbeta = 0;
  for (std::int64_t row = 0; row < a.dy.rows(); ++row) {
    const double dy = element(a.dy, {row, e.channel});
    dgamma += dy * xhat(row);
    dbeta += dy;
  }
  if (output == a.dgamma.data) return dgamma;
  if (output == a.dbeta.data) return dbeta;
  const auto rows = static_cast<double>(a.dy.rows());
  return element(a.gamma, channel) * invstd *
         (element(a.dy, e) - dbeta / rows - xhat(e.row) * dgamma / rows);
}

double reference(const BatchNormReluMapTrain& a, const void* output, Element e) {
  const Element channel{0, e.channel};
  const double mean = element(a.moments, channel);
  const double squares = element(a.moments, {1, e.channel});
  const auto rows = static_cast<double>(a.rows);
  const double invstd = 1 / std::sqrt(squares / rows + a.epsilon);
  if (output == a.mean.data) return mean;
  if (output == a.invstd.data) return invstd;
  if (output == a.running_mean.data)
    return (1 - a.momentum) * element(a.running_mean, channel) + a.momentum * mean;
  if (output == a.running_var.data)
    return (1 - a.momentum) * element(a.running_var, channel) + a.momentum * squares / (rows - 1);
  const double scale = element(a.gamma, channel) * invstd;
  if (e.row == MapRow::scale) return scale;
  return e.row == MapRow::shift ? element(a.beta, channel) - mean * scale : 0;
}

double reference(const BatchNormReluBackwardTrain& a, const void* output, Element e) {
  const Element channel{0, e.channel};
  const double mean = element(a.mean, channel), invstd = element(a.invstd, channel);
  const double floor = element(a.map, {MapRow::floor, e.channel});
  const auto xhat = [&](std::int64_t row) {
    return (element(a.x, {row, e.channel}) - mean) * invstd;
  };
  const auto dz = [&](std::int64_t row) {
    const Element at{row, e.channel};
    return element(a.x, a.map, at) > floor ? element(a.dy, at) : 0;
  };
  double dgamma = 0, dbeta = 0;
  for (std::int64_t row = 0; row < a.dy.rows(); ++row) {
    dgamma += dz(row) * xhat(row);
    dbeta += dz(row);
  }
  if (output == a.dgamma.data) return dgamma;
  if (output == a.dbeta.data) return dbeta;
  const auto rows = static_cast<double>(a.dy.rows());
  return element(a.gamma, channel) * invstd *
         (dz(e.row) - dbeta / rows - xhat(e.row) * dgamma / rows);
}

double reference(const Materialise& a, const void* output, Element e) {
  if (output == a.y.data) return element(a.x, a.map, e);
  const MaxPool2dForward pool{.geometry = max_pool2d_geometry(a.x.shape, 2, 2),
                              .x = a.x,
                              .x_map = a.map,
                              .y = a.pooled,
                              .index = a.index};
  return reference(pool, output, e);
}

double reference(const ReluForward& a, const void*, Element e) {
  return std::max(0.0, element(a.x, e));
}

double reference(const ReluBackward& a, const void*, Element e) {
  return element(a.y, e) > 0 ? element(a.dy, e) : 0;
}

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

double reference(const IouLossForward& a, const void* output, Element e) {
  const std::int64_t regions = a.region == Region::batch ? 1 : a.logits.shape[0];
  if (output == a.sums.data) {
    const Overlap found = overlap(a, e.row, regions);
    return e.channel == 0 ? found.intersection : found.union_;
  }
  double loss = 0;
  for (std::int64_t region = 0; region < regions; ++region) {
    const Overlap found = overlap(a, region, regions);
    loss -= std::log((found.intersection + a.smooth) / (found.union_ + a.smooth));
  }
  return loss / static_cast<double>(regions);
}

double reference(const IouLossBackward& a, const void*, Element e) {
  const std::int64_t regions = a.region == Region::batch ? 1 : a.logits.shape[0];
  const std::int64_t region = e.row / (a.logits.rows() / regions);
  const double p = sigmoid(element(a.logits, e)), t = element(a.target, e);
  const double i = element(a.sums, {region, 0}) + a.smooth,
               u = element(a.sums, {region, 1}) + a.smooth;
  return element(a.dloss, {0, 0}) / static_cast<double>(regions) * p * (1 - p) *
         ((1 - t) / u - t / i);
}

double reference(const Fill& a, const void*, Element) {
  return a.alpha * (a.scalar ? element(a.scalar, {0, 0}) : 1);
}

double reference(const Scale& a, const void*, Element e) {
  return a.alpha * element(a.x, e);
}

double reference(const AdamStep& a, const void* output, Element e) {
  const double step = a.progress ? element(a.progress, {0, 0}) : static_cast<double>(a.step);
  const double lr = a.progress ? element(a.progress, {0, 1}) : a.lr;
  double w = element(a.w, e), g = element(a.g, e);
  if (a.decoupled)
    w *= 1 - lr * a.weight_decay;
  else
    g += a.weight_decay * w;
  const double m = a.beta1 * element(a.m, e) + (1 - a.beta1) * g;
  const double v = a.beta2 * element(a.v, e) + (1 - a.beta2) * g * g;
  if (output == a.m.data) return m;
  if (output == a.v.data) return v;
  return w - lr * (m / (1 - std::pow(a.beta1, step))) /
                 (std::sqrt(v / (1 - std::pow(a.beta2, step))) + a.epsilon);
}

}  // namespace glia::bench
