// Sums over a warp, a block and the blocks of an earlier launch. The order of every addition
// follows from the numbers of threads and blocks, never from timing, so results repeat bit for bit.
//
// A sum over a tensor takes two launches: each block adds up its share and writes one partial sum;
// the second launch adds those up in order. A counter of finished blocks would save the second
// launch, but then the order of blocks is not known and the emulator could not check it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/api/context.h"
#include "kernels/cuda/gpu.h"

namespace glia::GLIA_GPU {

/// One value a warp: the part of a kernel's shared memory in which `block_sum` merges.
template <class T>
struct WarpValues {
  T of[32];
};

/// The value of the lane `by` places further on in the warp, whole structs too.
template <class T>
__device__ T shuffle_down(T value, unsigned by) {
  using Word = std::conditional_t<sizeof(T) % 8 == 0, unsigned long long, unsigned>;
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % sizeof(Word) == 0);
  Word words[sizeof(T) / sizeof(Word)];
  memcpy(words, &value, sizeof(T));
  for (Word& word : words) word = __shfl_down_sync(0xFFFFFFFFu, word, by);
  memcpy(&value, words, sizeof(T));
  return value;
}

/// The sum over a warp's lanes by T's `+=`, in lane 0; other lanes hold something else. All 32
/// lanes have to come.
template <class T>
__device__ T warp_sum(T value) {
  for (unsigned by = 16; by > 0; by /= 2) value += shuffle_down(value, by);
  return value;
}

/// The sum over a block's threads, in thread 0. The block is of whole warps, and all of it has to
/// come. Before `scratch` is used again the block needs a barrier of its own.
template <class T>
__device__ T block_sum(T value, WarpValues<T>& scratch) {
  value = warp_sum(value);
  if (threadIdx.x % 32 == 0) scratch.of[threadIdx.x / 32] = value;
  // Every warp's sum is there before thread 0 reads it.
  __syncthreads();
  if (threadIdx.x == 0)
    for (unsigned warp = 1; warp < blockDim.x / 32; ++warp) value += scratch.of[warp];
  return value;
}

/// The sum of `count` partial sums by one warp, in lane 0. T{} has to be 0.
template <class T>
__device__ T warp_total(const T* partials, unsigned count) {
  T total{};
  for (unsigned i = threadIdx.x % 32; i < count; i += 32) total += partials[i];
  return warp_sum(total);
}

/// Blocks for `items` pieces of work when a thread should have `per_thread` of them: at least 1,
/// and at most `per_multiprocessor`, as many as should be at work there at a time.
inline unsigned share_among_blocks(const KernelContext& context, std::int64_t items, int threads,
                                   int per_thread, int per_multiprocessor = 8) {
  const std::int64_t a_block = std::int64_t{threads} * per_thread;
  const std::int64_t most = std::int64_t{per_multiprocessor} * context.multiprocessors;
  const std::int64_t needed = (items + a_block - 1) / a_block;
  return static_cast<unsigned>(std::max<std::int64_t>(1, std::min(needed, most)));
}

/// Queues *y = alpha * sum of the partial sums, in order: the second launch of a sum.
void finish_sum(KernelContext& context, const double* partials, unsigned count, double alpha,
                float* y);

}  // namespace glia::GLIA_GPU
