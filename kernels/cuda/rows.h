// Loops over images: blockIdx.x is a row of pixels, whose packs of channels go to the threads in
// turn. So places in the other image that a pixel corresponds to follow from one division a block,
// and neighbouring threads read neighbouring channels.
#pragma once

#include <algorithm>

#include "kernels/api/context.h"
#include "kernels/cuda/strided.h"

namespace glia::GLIA_GPU {

constexpr int kRowThreads = 256;

/// A grid for `rows` rows of `pixels` pixels of `packs` packs; long rows are shared by more blocks.
inline LaunchConfig row_launch(const KernelContext& context, const char* name, std::int64_t rows,
                               std::int64_t pixels, std::int64_t packs) {
  const std::int64_t items = pixels * packs;
  // Thread indices stay below 2^31 even where the last round of a loop overshoots.
  require(rows < (std::int64_t{1} << 31) && items < (std::int64_t{1} << 29), name,
          "found more than 2^31 - 1 rows in all, or 2^29 elements or more in one");
  const std::int64_t share = 4 * kRowThreads;
  return {
      .grid = dim3(static_cast<unsigned>(rows), static_cast<unsigned>(std::min<std::int64_t>(
                                                    (items + share - 1) / share, 65535))),
      .block = static_cast<unsigned>(std::min<std::int64_t>((items + 31) / 32 * 32, kRowThreads)),
      .stream = static_cast<cudaStream_t>(context.stream),
      .name = name};
}

/// Calls `fn(pixel, c)` for the running thread's packs of the row: channels c to c + kPack - 1.
template <int kPack, class Fn>
__device__ void for_row(int pixels, int channels, const Fn& fn) {
  const unsigned packs = static_cast<unsigned>(channels / kPack);
  const unsigned items = static_cast<unsigned>(pixels) * packs;
  for (unsigned i = blockIdx.y * blockDim.x + threadIdx.x; i < items; i += gridDim.y * blockDim.x)
    fn(static_cast<int>(i / packs), static_cast<int>(i % packs * kPack));
}

}  // namespace glia::GLIA_GPU
