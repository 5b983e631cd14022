// Work on NHWC views by channels: a thread keeps to a few neighbouring channels, whose numbers it
// has in registers, and walks through rows (pixels). threadIdx.x goes along the channels, so that a
// warp reads neighbours, threadIdx.y along the rows; with few channels threadIdx.x is short and
// more threads share the rows. A block takes a chunk of rows.
#pragma once

#include <algorithm>
#include <bit>

#include "kernels/cuda/channels.h"

namespace glia::GLIA_GPU {

constexpr int kChannelThreads = 256;

/// The running thread's first channel, and its block's region and chunk.
struct ChannelPlace {
  std::int64_t c, region;
  unsigned chunk;

  __device__ ChannelPlace(const RowChunks& cut, int pack)
      : c((std::int64_t{blockIdx.y} * blockDim.x + threadIdx.x) * pack),
        region(blockIdx.x / cut.chunks),
        chunk(blockIdx.x % cut.chunks) {}
};

struct ChannelTiling {
  dim3 block;
  std::int64_t tiles;  // blocks along the channels

  ChannelTiling(std::int64_t rows, std::int64_t channels, int pack) {
    const auto packs = static_cast<std::uint64_t>(channels / pack);
    const std::uint64_t x = std::min<std::uint64_t>(32, std::bit_ceil(packs));
    const std::uint64_t y = std::min<std::uint64_t>(
        kChannelThreads / x, std::bit_ceil(static_cast<std::uint64_t>(rows)));
    block = dim3(static_cast<unsigned>(x), static_cast<unsigned>(y));
    tiles = static_cast<std::int64_t>((packs + x - 1) / x);
  }

  /// Chunks that give a thread `rows_a_thread` of a region's `rows` or more, at most `most` of them
  /// a region.
  RowChunks cut(std::int64_t regions, std::int64_t rows, std::int64_t channels,
                std::int64_t rows_a_thread, std::int64_t most) const {
    const auto up = [](std::int64_t n, std::int64_t by) { return (n + by - 1) / by; };
    const std::int64_t y = block.y;
    const std::int64_t length = up(std::max(rows_a_thread * y, up(rows, most)), y) * y;
    const std::int64_t chunks = up(rows, length);
    require(tiles < 65536 && regions * chunks < (std::int64_t{1} << 31), "normalisation",
            "found more rows or channels than a launch has blocks");
    return {.regions = regions,
            .rows = rows,
            .channels = channels,
            .length = length,
            .chunks = static_cast<unsigned>(chunks)};
  }

  LaunchConfig config(const KernelContext& context, const char* name, const RowChunks& cut,
                      std::size_t smem_bytes = 0) const {
    return {
        .grid = dim3(static_cast<unsigned>(cut.regions) * cut.chunks, static_cast<unsigned>(tiles)),
        .block = block,
        .smem_bytes = smem_bytes,
        .stream = static_cast<cudaStream_t>(context.stream),
        .name = name};
  }
};

}  // namespace glia::GLIA_GPU
