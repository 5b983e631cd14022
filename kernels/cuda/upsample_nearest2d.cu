// Nearest-neighbour upsampling: kernels/api/resample.h, docs/ops/upsample_nearest2d.md.
//
// Work: kernels/cuda/rows.h, a pack of channels at once where views allow that. Forward copies for
// each pixel of y; backward, a thread adds up for an element of dx the factor^2 elements that
// copied it, row by row. No shared memory.
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/rows.h"

namespace glia::GLIA_GPU {
namespace {

/// The extents of the smaller image.
struct Small {
  int H, W, C, factor;
};

template <int kPack, class T>
__global__ void __launch_bounds__(kRowThreads)
    upsample_nearest2d_forward_rows(Small g, Strided<const T> x, Strided<T> y) {
  // Each image has `factor` times as many rows in y as in x, so that n drops out.
  const int row = blockIdx.x, width = g.W * g.factor;
  for_row<kPack>(width, g.C, [&](int w, int c) {
    const std::int64_t from = std::int64_t{row / g.factor} * g.W + w / g.factor;
    y.store(std::int64_t{row} * width + w, c, x.template load<kPack>(from, c));
  });
}

template <int kPack, class T>
__global__ void __launch_bounds__(kRowThreads)
    upsample_nearest2d_backward_gather(Small g, Strided<const T> dy, Strided<T> dx,
                                       bool accumulate) {
  const std::int64_t width = std::int64_t{g.W} * g.factor;
  for_row<kPack>(g.W, g.C, [&](int w, int c) {
    const std::int64_t pixel = std::int64_t{blockIdx.x} * g.W + w;
    const std::int64_t corner = (std::int64_t{blockIdx.x} * width + w) * g.factor;
    Pack<kPack> sum{};
    if (accumulate) sum = dx.template load<kPack>(pixel, c);
    for (int r = 0; r < g.factor; ++r)
      for (int s = 0; s < g.factor; ++s) {
        const auto gradients = dy.template load<kPack>(corner + r * width + s, c);
        for (int k = 0; k < kPack; ++k) sum.at[k] += gradients.at[k];
      }
    dx.store(pixel, c, sum);
  });
}

Small small(const Shape& shape, std::int64_t factor) {
  const auto narrow = [](std::int64_t extent) { return static_cast<int>(extent); };
  return {narrow(shape[1]), narrow(shape[2]), narrow(shape[3]), narrow(factor)};
}

}  // namespace

void upsample_nearest2d_forward(KernelContext& context, const UpsampleNearest2dForward& a) {
  if (a.y.shape.numel() == 0) return;
  const Small g = small(a.x.shape, a.factor);
  const int pack = row_pack(a.x, a.y);
  with_type_of(a.x, [&](auto type) {
    using T = decltype(type);
    gpu::launch(
        pack > 1 ? upsample_nearest2d_forward_rows<kPackOf<T>, T>
                 : upsample_nearest2d_forward_rows<1, T>,
        row_launch(context, name_of(a), a.y.shape[0] * a.y.shape[1], a.y.shape[2], g.C / pack), g,
        strided<T>(a.x), strided<T>(a.y));
  });
}

void upsample_nearest2d_backward(KernelContext& context, const UpsampleNearest2dBackward& a) {
  if (a.dx.shape.numel() == 0) return;
  const Small g = small(a.dx.shape, a.factor);
  const int pack = row_pack(a.dy, a.dx);
  with_type_of(a.dy, [&](auto type) {
    using T = decltype(type);
    gpu::launch(pack > 1 ? upsample_nearest2d_backward_gather<kPackOf<T>, T>
                         : upsample_nearest2d_backward_gather<1, T>,
                row_launch(context, name_of(a), a.dx.shape[0] * g.H, g.W, g.C / pack), g,
                strided<T>(a.dy), strided<T>(a.dx), a.write == Write::accumulate);
  });
}

}  // namespace glia::GLIA_GPU
