// Nearest upsampling: a task is one row. The inner loops run over the channels and are left to the
// compiler: these kernels are bound by memory.
#include <cstring>

#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace glia::cpu {

namespace {

void zero_row(const View& v, std::int64_t first, std::int64_t rows) {
  for (std::int64_t row = first; row < first + rows; ++row)
    std::memset(v.as<float>() + row * v.pitch, 0,
                static_cast<std::size_t>(v.channels()) * sizeof(float));
}

}  // namespace

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
