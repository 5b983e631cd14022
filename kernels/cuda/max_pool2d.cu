// Max pooling: kernels/api/resample.h, docs/ops/max_pool2d.md.
//
// Work: kernels/cuda/rows.h. Forward, a thread compares the elements of a window, a pack of
// channels at once where views allow that. Backward, a thread gathers for an element of dx from all
// windows that contain it, so that no two threads add to one element, and elements that no window
// contains are written too. No shared memory: what windows share comes from the caches.
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/largest.h"
#include "kernels/cuda/rows.h"

namespace glia::GLIA_GPU {
namespace {

/// PoolGeometry in 32 bits, which an image's extents fit into.
struct Pool {
  int H, W, C, P, Q, window, stride;
};

template <int kPack, class T>
__global__ void __launch_bounds__(kRowThreads)
    max_pool2d_forward_rows(Pool g, Strided<const T> x, Strided<T> y, Strided<std::uint8_t> index) {
  const int row = blockIdx.x;
  const std::int64_t first_row = std::int64_t{row / g.P} * g.H + row % g.P * g.stride;  // of x
  for_row<kPack>(g.Q, g.C, [&](int q, int c) {
    Largest<kPack> largest;
    int place = 0;
    for (int r = 0; r < g.window; ++r)
      for (int s = 0; s < g.window; ++s, ++place) {
        const std::int64_t pixel = (first_row + r) * g.W + q * g.stride + s;
        largest.take(place, x.template load<kPack>(pixel, c));
      }
    const std::int64_t pixel = std::int64_t{row} * g.Q + q;
    y.store(pixel, c, largest.best);
    index.store(pixel, c, largest.places);
  });
}

/// The windows [begin, end) of a dimension, `count` in all, that contain coordinate `i`.
struct Windows {
  int begin, end;

  __device__ Windows(int i, int window, int stride, int count)
      : begin(i < window ? 0 : (i - window) / stride + 1), end(min(i / stride + 1, count)) {}
};

template <int kPack, class T>
__global__ void __launch_bounds__(kRowThreads)
    max_pool2d_backward_gather(Pool g, Strided<const T> dy, Strided<const std::uint8_t> index,
                               Strided<T> dx, bool accumulate) {
  const int row = blockIdx.x, n = row / g.H, h = row % g.H;
  const Windows rows(h, g.window, g.stride, g.P);
  for_row<kPack>(g.W, g.C, [&](int w, int c) {
    const Windows columns(w, g.window, g.stride, g.Q);
    const std::int64_t pixel = std::int64_t{row} * g.W + w;
    Pack<kPack> sum{};
    if (accumulate) sum = dx.template load<kPack>(pixel, c);
    for (int p = rows.begin; p < rows.end; ++p)
      for (int q = columns.begin; q < columns.end; ++q) {
        const int place = (h - p * g.stride) * g.window + w - q * g.stride;
        const std::int64_t from = std::int64_t{n * g.P + p} * g.Q + q;
        const auto places = index.load<kPack>(from, c);
        const auto gradients = dy.template load<kPack>(from, c);
        for (int k = 0; k < kPack; ++k)
          if (places.at[k] == place) sum.at[k] += gradients.at[k];
      }
    dx.store(pixel, c, sum);
  });
}

Pool pool_of(const PoolGeometry& g) {
  const auto narrow = [](std::int64_t extent) { return static_cast<int>(extent); };
  // A longer stride than the image has no second window either.
  const std::int64_t stride = std::min(g.stride, std::max(g.H, g.W));
  return {narrow(g.H), narrow(g.W),      narrow(g.C),   narrow(g.P),
          narrow(g.Q), narrow(g.window), narrow(stride)};
}

}  // namespace

void max_pool2d_forward(KernelContext& context, const MaxPool2dForward& a) {
  const PoolGeometry& g = a.geometry;
  if (g.y_shape().numel() == 0) return;
  const int pack = row_pack(a.x, a.y, a.index);
  with_type_of(a.x, [&](auto type) {
    using T = decltype(type);
    gpu::launch(pack > 1 ? max_pool2d_forward_rows<kPackOf<T>, T> : max_pool2d_forward_rows<1, T>,
                row_launch(context, name_of(a), g.N * g.P, g.Q, g.C / pack), pool_of(g),
                strided<T>(a.x), strided<T>(a.y), strided<std::uint8_t>(a.index));
  });
}

void max_pool2d_backward(KernelContext& context, const MaxPool2dBackward& a) {
  const PoolGeometry& g = a.geometry;
  if (g.x_shape().numel() == 0) return;
  const int pack = row_pack(a.dy, a.index, a.dx);
  with_type_of(a.dy, [&](auto type) {
    using T = decltype(type);
    gpu::launch(
        pack > 1 ? max_pool2d_backward_gather<kPackOf<T>, T> : max_pool2d_backward_gather<1, T>,
        row_launch(context, name_of(a), g.N * g.H, g.W, g.C / pack), pool_of(g), strided<T>(a.dy),
        strided<std::uint8_t>(a.index), strided<T>(a.dx), a.write == Write::accumulate);
  });
}

}  // namespace glia::GLIA_GPU
