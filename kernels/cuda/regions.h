// How blocks share dense tensors that fall into equal regions: images, or one region that is the
// whole batch. Block b works on region b / chunks; the packs of four elements of a region go to its
// threads in turn. A pack is four neighbouring elements whether or not one load fetches them, so
// the order of a sum does not depend on addresses.
#pragma once

#include "kernels/api/loss.h"
#include "kernels/cuda/pack.h"
#include "kernels/cuda/reduce.h"

namespace glia::GLIA_GPU {

constexpr int kRegionThreads = 256;

struct Regions {
  std::int64_t elements = 0;  // of one region
  unsigned count = 1;
  unsigned chunks = 1;   // blocks a region
  bool aligned = false;  // every full pack lies at a multiple of 16 bytes

  unsigned blocks() const { return count * chunks; }
};

/// Cuts tensors of the given shape, whose data starts at `addresses`. Throws `Error` when there are
/// more regions than a launch has blocks.
template <class... T>
Regions cut_regions(const KernelContext& context, const char* op, const Shape& shape, Region region,
                    const T*... addresses) {
  const std::int64_t count = region == Region::batch ? 1 : shape[0];
  require(count < (std::int64_t{1} << 31), op, "found more than 2^31 - 1 images");
  Regions regions;
  regions.count = static_cast<unsigned>(count);
  regions.elements = shape.numel() / count;
  // Some four packs a thread; together the regions fill the GPU, and each has a block of its own.
  const unsigned all =
      share_among_blocks(context, count * ((regions.elements + 3) / 4), kRegionThreads, 4);
  const unsigned needed =
      share_among_blocks(context, (regions.elements + 3) / 4, kRegionThreads, 4);
  regions.chunks = std::min(needed, std::max(1u, all / regions.count));
  regions.aligned = pack_aligned(addresses...) && (count == 1 || regions.elements % 4 == 0);
  return regions;
}

/// Throws `Error` "op: found a channel slice, ..." unless all views are dense.
template <class... Views>
void require_dense(const char* op, const Views&... views) {
  require((... && views.dense()), op, "found a channel slice, expected dense tensors");
}

/// Calls `fn(first, count)` for each pack of the running thread: `count` elements, 1 to 4, from
/// element `first` of the tensor on.
template <class Fn>
__device__ void for_packs(const Regions& regions, const Fn& fn) {
  const std::int64_t start = blockIdx.x / regions.chunks * regions.elements;
  const std::int64_t thread =
      std::int64_t{blockIdx.x % regions.chunks} * kRegionThreads + threadIdx.x;
  const std::int64_t step = std::int64_t{regions.chunks} * kRegionThreads * 4;
  for (std::int64_t i = thread * 4; i < regions.elements; i += step) {
    const std::int64_t rest = regions.elements - i;
    fn(start + i, rest < 4 ? static_cast<int>(rest) : 4);
  }
}

/// dz (+)= f(z, t) for every element.
template <bool kAligned, class F>
__device__ void write_gradient(const Regions& regions, const float* z, const float* t, float* dz,
                               bool accumulate, const F& f) {
  for_packs(regions, [&](std::int64_t first, int count) {
    const Pack<4> zs = load_pack<kAligned>(z + first, count);
    const Pack<4> ts = load_pack<kAligned>(t + first, count);
    Pack<4> result{};
    if (accumulate) result = load_pack<kAligned>(dz + first, count);
    for (int k = 0; k < 4; ++k) result.at[k] += f(zs.at[k], ts.at[k]);
    store_pack<kAligned>(dz + first, result, count);
  });
}

/// 1 / (1 + exp(-x)).
__device__ inline float logistic(float x) {
  return 1.0f / (1.0f + expf(-x));
}

}  // namespace glia::GLIA_GPU
