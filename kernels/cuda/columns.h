// Sums over blockDim.y for each threadIdx.x.
#pragma once

#include "kernels/cuda/gpu.h"

namespace glia::GLIA_GPU {

/// The sum of `value`, by T's `+=`, over the threads of one threadIdx.x, for all of them: halves
/// are added pairwise, so the order depends on blockDim.y only, which has to be a power of two.
/// `memory` is shared and has a place a thread. The whole block has to come.
template <class T>
__device__ T column_sum(T value, T* memory) {
  const unsigned mine = threadIdx.y * blockDim.x + threadIdx.x;
  // Everybody has read the result of an earlier sum before it is overwritten.
  __syncthreads();
  memory[mine] = value;
  for (unsigned half = blockDim.y / 2; half > 0; half /= 2) {
    // Both halves have their values before they are added.
    __syncthreads();
    if (threadIdx.y < half) memory[mine] += memory[mine + half * blockDim.x];
  }
  // The result is there before anybody reads it.
  __syncthreads();
  return memory[threadIdx.x];
}

}  // namespace glia::GLIA_GPU
