// The passes over memory of the normalisations: kernels/cuda/channels.h.
//
// Work: channel_rows.h, in packs of channels (four, eight of bf16, where views allow that, else
// one). Sums: some four blocks a multiprocessor in all, each thread adds up every blockDim.y-th
// row, then the block merges by halves. Shared memory: 2 sums a channel and thread, 8 KiB with
// packs of four, 16 with those of eight, else 2. The affine map needs none; its chunks are short,
// so that blocks are many and end at different times.
#include <algorithm>

#include "kernels/cuda/channel_rows.h"
#include "kernels/cuda/columns.h"
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/map_pack.h"

namespace glia::GLIA_GPU {
namespace {

constexpr int kThreads = kChannelThreads, kBlocksPerMultiprocessor = 4;

template <int kPack>
struct Sums {
  Pack<kPack> first, second;

  __device__ void operator+=(const Sums& other) {
    for (int k = 0; k < kPack; ++k) {
      first.at[k] += other.first.at[k];
      second.at[k] += other.second.at[k];
    }
  }
};

template <int kPack>
struct Smem {
  Sums<kPack> of[kThreads];
};

enum class Of { moments, gradients, relu_gradients };

/// Sums of w and w * d with d = x - shift: w = d for the moments, w = dy for the gradients, of what
/// is mapped where there is a ReLU.
template <int kPack, Of kOf, class T>
__global__ void __launch_bounds__(kThreads, kBlocksPerMultiprocessor)
    channel_sums_chunked(Strided<const T> dy, Strided<const T> x, Strided<const float> map,
                         const float* centre, unsigned groups, ChunkSums out) {
  constexpr bool kMoments = kOf == Of::moments;
  Smem<kPack>& smem = gpu::shared<Smem<kPack>>();
  const RowChunks& cut = out.cut;
  const ChannelPlace place(cut, kPack);
  const bool inside = place.c < cut.channels;
  const std::int64_t begin = cut.begin(place.region, place.chunk);
  const std::int64_t end = begin + cut.size(place.chunk);

  Sums<kPack> sums{};
  Pack<kPack> shift{};
  if (inside) {
    if constexpr (kMoments) {
      shift = x.template load<kPack>(begin, place.c);
    } else {
      const auto width = static_cast<unsigned>(cut.channels) / groups;
      for (int k = 0; k < kPack; ++k)
        shift.at[k] = centre[place.region * groups + static_cast<unsigned>(place.c + k) / width];
    }
    MapPack<kPack> mapped;
    if constexpr (kOf == Of::relu_gradients) mapped = MapPack<kPack>(map, place.c);
    // As many rows ahead as registers leave room for.
    [[maybe_unused]] constexpr int kRowsAhead = 16 / std::max(kPack, 4);
#pragma unroll kRowsAhead
    for (std::int64_t row = begin + threadIdx.y; row < end; row += blockDim.y) {
      const Pack<kPack> value = x.template load<kPack>(row, place.c);
      Pack<kPack> weight{};
      if constexpr (!kMoments) weight = dy.template load<kPack>(row, place.c);
      if constexpr (kOf == Of::relu_gradients)
        for (int k = 0; k < kPack; ++k)
          weight.at[k] = mapped.gradient(k, value.at[k], weight.at[k]);
      for (int k = 0; k < kPack; ++k) {
        const float d = value.at[k] - shift.at[k], w = kMoments ? d : weight.at[k];
        sums.first.at[k] += w;
        sums.second.at[k] += w * d;
      }
    }
  }
  sums = column_sum(sums, smem.of);
  if (!inside || threadIdx.y != 0) return;
  for (int k = 0; k < kPack; ++k) {
    const std::int64_t to = out.place(place.region, place.c + k) + place.chunk;
    if constexpr (kMoments) out.plane(ChunkSums::kShift)[to] = shift.at[k];
    out.plane(ChunkSums::kFirst)[to] = sums.first.at[k];
    out.plane(ChunkSums::kSecond)[to] = sums.second.at[k];
  }
}

/// kRelu: u is the gradient of a ReLU of the map of v.
template <int kPack, bool kRelu, class T>
__global__ void __launch_bounds__(kThreads)
    channel_affine_rows(RowChunks cut, Strided<const T> u, Strided<const T> v,
                        Strided<const float> map, Strided<T> y, bool accumulate,
                        Strided<const float> coefficients) {
  using P = Pack<kPack>;
  const ChannelPlace place(cut, kPack);
  if (place.c >= cut.channels) return;
  const std::int64_t table = place.region * kCoefficients, c = place.c;
  const P constant = coefficients.load<kPack>(table + kConstant, c);
  P of_u{}, of_v{}, centre{};
  if (u.data != nullptr) of_u = coefficients.load<kPack>(table + kOfU, c);
  if (v.data != nullptr) {
    of_v = coefficients.load<kPack>(table + kOfV, c);
    centre = coefficients.load<kPack>(table + kCentre, c);
  }
  MapPack<kPack> mapped;
  if constexpr (kRelu) mapped = MapPack<kPack>(map, c);
  const std::int64_t begin = cut.begin(place.region, place.chunk);
  const std::int64_t end = begin + cut.size(place.chunk);
  for (std::int64_t row = begin + threadIdx.y; row < end; row += blockDim.y) {
    P result = constant, value_of_v{};
    if (v.data != nullptr) {
      value_of_v = v.template load<kPack>(row, c);
      for (int k = 0; k < kPack; ++k)
        result.at[k] += of_v.at[k] * (value_of_v.at[k] - centre.at[k]);
    }
    if (u.data != nullptr) {
      P value = u.template load<kPack>(row, c);
      for (int k = 0; k < kPack; ++k) {
        if constexpr (kRelu) value.at[k] = mapped.gradient(k, value_of_v.at[k], value.at[k]);
        result.at[k] += of_u.at[k] * value.at[k];
      }
    }
    if (accumulate) {
      const P before = y.template load<kPack>(row, c);
      for (int k = 0; k < kPack; ++k) result.at[k] += before.at[k];
    }
    y.store(row, c, result);
  }
}

template <Of kOf>
void channel_sums(KernelContext& context, const char* name, const ConstView& dy, const ConstView& x,
                  const ConstView& map, const float* centre, std::int64_t groups,
                  const ChunkSums& sums) {
  const ChannelTiling tiling(sums.cut.rows, sums.cut.channels, sums.pack);
  with_type_of(x, [&](auto type) {
    using T = decltype(type);
    constexpr int kPack = kPackOf<T>;
    const bool packed = sums.pack > 1;
    gpu::launch(
        packed ? channel_sums_chunked<kPack, kOf, T> : channel_sums_chunked<1, kOf, T>,
        tiling.config(context, name, sums.cut, packed ? sizeof(Smem<kPack>) : sizeof(Smem<1>)),
        strided<T>(dy), strided<T>(x), strided<float>(map), centre, static_cast<unsigned>(groups),
        sums);
  });
}

template <bool kRelu>
void affine(KernelContext& context, const char* name, std::int64_t regions, const ConstView& u,
            const ConstView& v, const ConstView& map, const View& y, Write write,
            const float* coefficients) {
  const int pack = row_pack(y, u, v, map);
  const ChannelTiling tiling(y.rows() / regions, y.channels(), pack);
  const RowChunks cut = tiling.cut(regions, y.rows() / regions, y.channels(), 16, y.rows());
  with_type_of(y, [&](auto type) {
    using T = decltype(type);
    gpu::launch(
        pack > 1 ? channel_affine_rows<kPackOf<T>, kRelu, T> : channel_affine_rows<1, kRelu, T>,
        tiling.config(context, name, cut), cut, strided<T>(u), strided<T>(v), strided<float>(map),
        strided<T>(y), write == Write::accumulate,
        Strided<const float>{coefficients, y.channels()});
  });
}

}  // namespace

ChunkSums reserve_sums(KernelContext& context, std::int64_t regions, const ConstView& x, int pack) {
  const ChannelTiling tiling(x.rows() / regions, x.channels(), pack);
  const std::int64_t blocks = std::int64_t{kBlocksPerMultiprocessor} * context.multiprocessors;
  const RowChunks cut = tiling.cut(regions, x.rows() / regions, x.channels(), 8,
                                   std::max<std::int64_t>(1, blocks / (regions * tiling.tiles)));
  const std::int64_t numbers = regions * cut.channels;
  // In whole packs, so that the coefficients after them are aligned.
  const std::int64_t sums = (ChunkSums::kPlanes * numbers * cut.chunks + 3) / 4 * 4;
  auto* data = context.workspace.array<float>(sums + kCoefficients * numbers);
  return {.cut = cut, .pack = pack, .data = data, .coefficients = data + sums};
}

void channel_moments(KernelContext& context, const ConstView& x, const ChunkSums& sums) {
  channel_sums<Of::moments>(context, "channel_moments", {}, x, {}, nullptr, 1, sums);
}

void channel_gradients(KernelContext& context, const ConstView& dy, const ConstView& x,
                       const ConstView& map, const float* centre, std::int64_t groups,
                       const ChunkSums& sums) {
  if (map)
    channel_sums<Of::relu_gradients>(context, "channel_gradients_relu", dy, x, map, centre, groups,
                                     sums);
  else
    channel_sums<Of::gradients>(context, "channel_gradients", dy, x, {}, centre, groups, sums);
}

void channel_affine(KernelContext& context, std::int64_t regions, const ConstView& u,
                    const ConstView& v, const View& y, Write write, const float* coefficients) {
  affine<false>(context, "channel_affine", regions, u, v, {}, y, write, coefficients);
}

void channel_affine_relu(KernelContext& context, const ConstView& dy, const ConstView& x,
                         const ConstView& map, const View& dx, const float* coefficients) {
  affine<true>(context, "channel_affine_relu", 1, dy, x, map, dx, Write::overwrite, coefficients);
}

}  // namespace glia::GLIA_GPU
