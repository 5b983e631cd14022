// The passes over memory of the normalisations: kernels/cuda/channels.h.
//
// Work: a block takes a chunk of rows and up to 32 packs of channels (four channels, eight of bf16,
// where views allow that, else one): threadIdx.x along the channels, so that a warp reads
// neighbours, threadIdx.y along the rows. With few channels threadIdx.x is short and more threads
// share the rows. Sums: some four blocks a multiprocessor in all, each thread adds up every
// blockDim.y-th row, then the block merges by halves. Shared memory: 2 sums a channel and thread, 8
// KiB with packs of four, 16 with those of eight, else 2. The affine map needs none; its chunks are
// short, so that blocks are many and end at different times.
#include <algorithm>
#include <bit>

#include "kernels/cuda/channels.h"
#include "kernels/cuda/columns.h"
#include "kernels/cuda/kernels.h"

namespace glia::GLIA_GPU {
namespace {

constexpr int kThreads = 256, kBlocksPerMultiprocessor = 4;

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

/// The running thread's first channel, and its block's region and chunk.
struct Place {
  std::int64_t c, region;
  unsigned chunk;

  __device__ Place(const RowChunks& cut, int pack)
      : c((std::int64_t{blockIdx.y} * blockDim.x + threadIdx.x) * pack),
        region(blockIdx.x / cut.chunks),
        chunk(blockIdx.x % cut.chunks) {}
};

/// Sums of w and w * d with d = x - shift: w = d for the moments, w = dy for the gradients.
template <int kPack, bool kMoments, class T>
__global__ void __launch_bounds__(kThreads, kBlocksPerMultiprocessor)
    channel_sums_chunked(Strided<const T> dy, Strided<const T> x, const float* centre,
                         unsigned groups, ChunkSums out) {
  Smem<kPack>& smem = gpu::shared<Smem<kPack>>();
  const RowChunks& cut = out.cut;
  const Place place(cut, kPack);
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
    // As many rows ahead as registers leave room for.
    [[maybe_unused]] constexpr int kRowsAhead = 16 / std::max(kPack, 4);
#pragma unroll kRowsAhead
    for (std::int64_t row = begin + threadIdx.y; row < end; row += blockDim.y) {
      const Pack<kPack> value = x.template load<kPack>(row, place.c);
      Pack<kPack> weight{};
      if constexpr (!kMoments) weight = dy.template load<kPack>(row, place.c);
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

template <int kPack, class T>
__global__ void __launch_bounds__(kThreads)
    channel_affine_rows(RowChunks cut, Strided<const T> u, Strided<const T> v, Strided<T> y,
                        bool accumulate, Strided<const float> coefficients) {
  using P = Pack<kPack>;
  const Place place(cut, kPack);
  if (place.c >= cut.channels) return;
  const std::int64_t table = place.region * kCoefficients, c = place.c;
  const P constant = coefficients.load<kPack>(table + kConstant, c);
  P of_u{}, of_v{}, centre{};
  if (u.data != nullptr) of_u = coefficients.load<kPack>(table + kOfU, c);
  if (v.data != nullptr) {
    of_v = coefficients.load<kPack>(table + kOfV, c);
    centre = coefficients.load<kPack>(table + kCentre, c);
  }
  const std::int64_t begin = cut.begin(place.region, place.chunk);
  const std::int64_t end = begin + cut.size(place.chunk);
  for (std::int64_t row = begin + threadIdx.y; row < end; row += blockDim.y) {
    P result = constant;
    if (v.data != nullptr) {
      const P value = v.template load<kPack>(row, c);
      for (int k = 0; k < kPack; ++k) result.at[k] += of_v.at[k] * (value.at[k] - centre.at[k]);
    }
    if (u.data != nullptr) {
      const P value = u.template load<kPack>(row, c);
      for (int k = 0; k < kPack; ++k) result.at[k] += of_u.at[k] * value.at[k];
    }
    if (accumulate) {
      const P before = y.template load<kPack>(row, c);
      for (int k = 0; k < kPack; ++k) result.at[k] += before.at[k];
    }
    y.store(row, c, result);
  }
}

struct Tiling {
  dim3 block;
  std::int64_t tiles;  // blocks along the channels
};

Tiling tile(std::int64_t rows, std::int64_t channels, int pack) {
  const auto packs = static_cast<std::uint64_t>(channels / pack);
  const std::uint64_t x = std::min<std::uint64_t>(32, std::bit_ceil(packs));
  const std::uint64_t y =
      std::min<std::uint64_t>(kThreads / x, std::bit_ceil(static_cast<std::uint64_t>(rows)));
  return {.block = dim3(static_cast<unsigned>(x), static_cast<unsigned>(y)),
          .tiles = static_cast<std::int64_t>((packs + x - 1) / x)};
}

/// Chunks that give a thread `rows_a_thread` rows or more, at most `most` of them a region.
RowChunks cut_rows(std::int64_t regions, const ConstView& x, const Tiling& tiling,
                   std::int64_t rows_a_thread, std::int64_t most) {
  const auto up = [](std::int64_t n, std::int64_t by) { return (n + by - 1) / by; };
  const std::int64_t rows = x.rows() / regions, y = tiling.block.y;
  const std::int64_t length = up(std::max(rows_a_thread * y, up(rows, most)), y) * y;
  const std::int64_t chunks = up(rows, length);
  require(tiling.tiles < 65536 && regions * chunks < (std::int64_t{1} << 31), "normalisation",
          "found more rows or channels than a launch has blocks");
  return {.regions = regions,
          .rows = rows,
          .channels = x.channels(),
          .length = length,
          .chunks = static_cast<unsigned>(chunks)};
}

LaunchConfig config(const KernelContext& context, const char* name, const RowChunks& cut,
                    const Tiling& tiling, std::size_t smem_bytes) {
  return {.grid = dim3(static_cast<unsigned>(cut.regions) * cut.chunks,
                       static_cast<unsigned>(tiling.tiles)),
          .block = tiling.block,
          .smem_bytes = smem_bytes,
          .stream = static_cast<cudaStream_t>(context.stream),
          .name = name};
}

template <bool kMoments>
void channel_sums(KernelContext& context, const char* name, const ConstView& dy, const ConstView& x,
                  const float* centre, std::int64_t groups, const ChunkSums& sums) {
  const Tiling tiling = tile(sums.cut.rows, sums.cut.channels, sums.pack);
  with_type_of(x, [&](auto type) {
    using T = decltype(type);
    constexpr int kPack = kPackOf<T>;
    const bool packed = sums.pack > 1;
    gpu::launch(
        packed ? channel_sums_chunked<kPack, kMoments, T> : channel_sums_chunked<1, kMoments, T>,
        config(context, name, sums.cut, tiling, packed ? sizeof(Smem<kPack>) : sizeof(Smem<1>)),
        strided<T>(dy), strided<T>(x), centre, static_cast<unsigned>(groups), sums);
  });
}

}  // namespace

ChunkSums reserve_sums(KernelContext& context, std::int64_t regions, const ConstView& x, int pack) {
  const Tiling tiling = tile(x.rows() / regions, x.channels(), pack);
  const std::int64_t blocks = std::int64_t{kBlocksPerMultiprocessor} * context.multiprocessors;
  const RowChunks cut =
      cut_rows(regions, x, tiling, 8, std::max<std::int64_t>(1, blocks / (regions * tiling.tiles)));
  const std::int64_t numbers = regions * cut.channels;
  // In whole packs, so that the coefficients after them are aligned.
  const std::int64_t sums = (ChunkSums::kPlanes * numbers * cut.chunks + 3) / 4 * 4;
  auto* data = context.workspace.array<float>(sums + kCoefficients * numbers);
  return {.cut = cut, .pack = pack, .data = data, .coefficients = data + sums};
}

void channel_moments(KernelContext& context, const ConstView& x, const ChunkSums& sums) {
  channel_sums<true>(context, "channel_moments", {}, x, nullptr, 1, sums);
}

void channel_gradients(KernelContext& context, const ConstView& dy, const ConstView& x,
                       const float* centre, std::int64_t groups, const ChunkSums& sums) {
  channel_sums<false>(context, "channel_gradients", dy, x, centre, groups, sums);
}

void channel_affine(KernelContext& context, std::int64_t regions, const ConstView& u,
                    const ConstView& v, const View& y, Write write, const float* coefficients) {
  const int pack = row_pack(y, u, v);
  const Tiling tiling = tile(y.rows() / regions, y.channels(), pack);
  const RowChunks cut = cut_rows(regions, y, tiling, 16, y.rows());
  with_type_of(y, [&](auto type) {
    using T = decltype(type);
    gpu::launch(pack > 1 ? channel_affine_rows<kPackOf<T>, T> : channel_affine_rows<1, T>,
                config(context, "channel_affine", cut, tiling, 0), cut, strided<T>(u),
                strided<T>(v), strided<T>(y), write == Write::accumulate,
                Strided<const float>{coefficients, y.channels()});
  });
}

}  // namespace glia::GLIA_GPU
