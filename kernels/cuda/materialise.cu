// Writes down what a map makes of an operand, and pools it while it is at hand:
// kernels/api/norm_relu.h.
//
// Work: channel_rows.h; with pooling a row is a cell of 2x2 pixels, of which one at an odd edge has
// fewer. No shared memory.
#include "kernels/cuda/channel_rows.h"
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/largest.h"
#include "kernels/cuda/map_pack.h"

namespace glia::GLIA_GPU {
namespace {

constexpr int kRowsAThread = 16;

template <int kPack, class T>
__global__ void __launch_bounds__(kChannelThreads)
    materialise_rows(RowChunks cut, Strided<const T> x, Strided<const float> map, Strided<T> y) {
  const ChannelPlace place(cut, kPack);
  if (place.c >= cut.channels) return;
  const MapPack<kPack> mapped(map, place.c);
  const std::int64_t begin = cut.begin(0, place.chunk), end = begin + cut.size(place.chunk);
  for (std::int64_t row = begin + threadIdx.y; row < end; row += blockDim.y) {
    Pack<kPack> value = x.template load<kPack>(row, place.c);
    for (int k = 0; k < kPack; ++k) value.at[k] = mapped.apply(k, value.at[k]);
    y.store(row, place.c, value);
  }
}

/// As it will be read back: what is pooled are the numbers that are stored.
template <class T>
__device__ float as_stored(float value) {
  if constexpr (std::is_same_v<T, Bf16>)
    return to_float({static_cast<std::uint16_t>(ptx::pack_bf16(value, 0))});
  else
    return value;
}

template <int kPack, class T>
__global__ void __launch_bounds__(kChannelThreads)
    materialise_pool_cells(RowChunks cut, int height, int width, Strided<const T> x,
                           Strided<const float> map, Strided<T> y, Strided<T> pooled,
                           Strided<std::uint8_t> index) {
  const ChannelPlace place(cut, kPack);
  if (place.c >= cut.channels) return;
  const MapPack<kPack> mapped(map, place.c);
  const int across = (width + 1) / 2, down = (height + 1) / 2;
  const std::int64_t begin = cut.begin(0, place.chunk), end = begin + cut.size(place.chunk);
  for (std::int64_t cell = begin + threadIdx.y; cell < end; cell += blockDim.y) {
    const int q = static_cast<int>(cell % across), p = static_cast<int>(cell / across % down);
    const std::int64_t n = cell / across / down;
    const bool whole = 2 * p + 1 < height && 2 * q + 1 < width;
    Largest<kPack> largest;
#pragma unroll
    for (int at = 0; at < 4; ++at) {
      const int h = 2 * p + at / 2, w = 2 * q + at % 2;
      if (h >= height || w >= width) continue;
      const std::int64_t pixel = (n * height + h) * width + w;
      Pack<kPack> value = x.template load<kPack>(pixel, place.c);
      for (int k = 0; k < kPack; ++k) value.at[k] = as_stored<T>(mapped.apply(k, value.at[k]));
      largest.take(at, value);
      y.store(pixel, place.c, value);
    }
    if (!whole) continue;
    const std::int64_t window = (n * (height / 2) + p) * (width / 2) + q;
    pooled.store(window, place.c, largest.best);
    index.store(window, place.c, largest.places);
  }
}

}  // namespace

void materialise(KernelContext& context, const Materialise& a) {
  const std::int64_t channels = a.x.channels();
  if (a.x.rows() == 0) return;
  with_type_of(a.x, [&](auto type) {
    using T = decltype(type);
    constexpr int kPack = kPackOf<T>;
    const int pack = row_pack(a.x, a.map, a.y, a.pooled, a.index);
    if (!a.pooled) {
      const ChannelTiling tiling(a.x.rows(), channels, pack);
      const RowChunks cut = tiling.cut(1, a.x.rows(), channels, kRowsAThread, a.x.rows());
      return gpu::launch(pack > 1 ? materialise_rows<kPack, T> : materialise_rows<1, T>,
                         tiling.config(context, "materialise", cut), cut, strided<T>(a.x),
                         strided<float>(a.map), strided<T>(a.y));
    }
    const PoolGeometry g = max_pool2d_geometry(a.x.shape, 2, 2);
    const std::int64_t cells = g.N * ((g.H + 1) / 2) * ((g.W + 1) / 2);
    const ChannelTiling tiling(cells, channels, pack);
    const RowChunks cut = tiling.cut(1, cells, channels, kRowsAThread / 4, cells);
    gpu::launch(pack > 1 ? materialise_pool_cells<kPack, T> : materialise_pool_cells<1, T>,
                tiling.config(context, "materialise_pool", cut), cut, static_cast<int>(g.H),
                static_cast<int>(g.W), strided<T>(a.x), strided<float>(a.map), strided<T>(a.y),
                strided<T>(a.pooled), strided<std::uint8_t>(a.index));
  });
}

}  // namespace glia::GLIA_GPU
