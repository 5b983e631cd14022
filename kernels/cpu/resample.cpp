// Max pooling and nearest upsampling: a task is one output (or, backwards, one input) row. The
// inner loops run over the channels and are left to the compiler: these kernels are bound by
// memory.
#include <algorithm>
#include <cstring>

#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace glia::cpu {

namespace {

/// True when `value` replaces the maximum so far: strictly greater, or the first NaN.
bool beats(float value, float best) {
  return value > best || (value != value && best == best);
}

void zero_row(const View& v, std::int64_t first, std::int64_t rows) {
  for (std::int64_t row = first; row < first + rows; ++row)
    std::memset(v.as<float>() + row * v.pitch, 0,
                static_cast<std::size_t>(v.channels()) * sizeof(float));
}

}  // namespace

void max_pool2d_forward(KernelContext& context, const MaxPool2dForward& a) {
  const PoolGeometry& g = a.geometry;
  parallel_for(context, g.N * g.P, [&](std::int64_t task) {
    const std::int64_t n = task / g.P, p = task % g.P;
    for (std::int64_t q = 0; q < g.Q; ++q) {
      float* y = a.y.as<float>() + (task * g.Q + q) * a.y.pitch;
      std::uint8_t* index = a.index.as<std::uint8_t>() + (task * g.Q + q) * a.index.pitch;
      for (std::int64_t r = 0; r < g.window; ++r) {
        for (std::int64_t s = 0; s < g.window; ++s) {
          const std::int64_t row = (n * g.H + p * g.stride + r) * g.W + q * g.stride + s;
          const float* x = a.x.as<float>() + row * a.x.pitch;
          const auto place = static_cast<std::uint8_t>(r * g.window + s);
          for (std::int64_t c = 0; c < g.C; ++c) {
            const bool better = place == 0 || beats(x[c], y[c]);
            y[c] = better ? x[c] : y[c];
            index[c] = better ? place : index[c];
          }
        }
      }
    }
  });
}

void max_pool2d_backward(KernelContext& context, const MaxPool2dBackward& a) {
  const PoolGeometry& g = a.geometry;
  // Windows may overlap, so a task owns a whole image unless they do not.
  const bool disjoint = g.stride >= g.window;
  const std::int64_t bands = disjoint ? g.P : 1;
  parallel_for(context, g.N * bands, [&](std::int64_t task) {
    const std::int64_t n = task / bands, band = task % bands;
    const std::int64_t p0 = disjoint ? band : 0, p1 = disjoint ? band + 1 : g.P;
    if (a.write == Write::overwrite) {
      const std::int64_t h0 = p0 * g.stride, h1 = p1 == g.P ? g.H : p1 * g.stride;
      zero_row(a.dx, (n * g.H + h0) * g.W, (h1 - h0) * g.W);
    }
    for (std::int64_t p = p0; p < p1; ++p) {
      for (std::int64_t q = 0; q < g.Q; ++q) {
        const std::int64_t out = (n * g.P + p) * g.Q + q;
        const float* dy = a.dy.as<float>() + out * a.dy.pitch;
        const std::uint8_t* index = a.index.as<std::uint8_t>() + out * a.index.pitch;
        float* dx = a.dx.as<float>() + ((n * g.H + p * g.stride) * g.W + q * g.stride) * a.dx.pitch;
        for (std::int64_t r = 0; r < g.window; ++r)
          for (std::int64_t s = 0; s < g.window; ++s) {
            float* to = dx + (r * g.W + s) * a.dx.pitch;
            const auto place = static_cast<std::uint8_t>(r * g.window + s);
            for (std::int64_t c = 0; c < g.C; ++c) to[c] += index[c] == place ? dy[c] : 0.0f;
          }
      }
    }
  });
}

void upsample_nearest2d_forward(KernelContext& context, const UpsampleNearest2dForward& a) {
  const std::int64_t H = a.y.shape[1], W = a.y.shape[2], w = a.x.shape[2];
  const auto bytes = static_cast<std::size_t>(a.x.channels()) * sizeof(float);
  parallel_for(context, a.y.shape[0] * H, [&](std::int64_t row) {
    const std::int64_t from = (row / H * a.x.shape[1] + row % H / a.factor) * w;
    for (std::int64_t col = 0; col < W; ++col)
      std::memcpy(a.y.as<float>() + (row * W + col) * a.y.pitch,
                  a.x.as<float>() + (from + col / a.factor) * a.x.pitch, bytes);
  });
}

void upsample_nearest2d_backward(KernelContext& context, const UpsampleNearest2dBackward& a) {
  const std::int64_t h = a.dx.shape[1], w = a.dx.shape[2], W = a.dy.shape[2];
  const std::int64_t C = a.dx.channels();
  parallel_for(context, a.dx.shape[0] * h, [&](std::int64_t row) {
    for (std::int64_t col = 0; col < w; ++col) {
      float* dx = a.dx.as<float>() + (row * w + col) * a.dx.pitch;
      if (a.write == Write::overwrite) zero_row(a.dx, row * w + col, 1);
      for (std::int64_t r = 0; r < a.factor; ++r)
        for (std::int64_t s = 0; s < a.factor; ++s) {
          const float* dy =
              a.dy.as<float>() + ((row * a.factor + r) * W + col * a.factor + s) * a.dy.pitch;
          for (std::int64_t c = 0; c < C; ++c) dx[c] += dy[c];
        }
    }
  });
}

}  // namespace glia::cpu
