// Convolutions.
#include "benchmarks/suite/reference.h"

namespace glia::bench {

namespace {

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

}  // namespace

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

}  // namespace glia::bench
