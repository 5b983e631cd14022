// Neighbouring floats that are loaded and stored at once.
#pragma once

#include <cstdint>

#include "kernels/cuda/gpu.h"

namespace glia::GLIA_GPU {

template <int kWidth>
struct alignas(kWidth * sizeof(float)) Pack {
  float at[kWidth];
};

/// Whether each of the addresses may be read as a Pack<4>. Null pointers may.
template <class... T>
bool pack_aligned(const T*... address) {
  return (... && (reinterpret_cast<std::uintptr_t>(address) % sizeof(Pack<4>) == 0));
}

/// The first `count` of four floats, 0 after them; one load where all are wanted.
template <bool kAligned>
__device__ Pack<4> load_pack(const float* from, int count) {
  if (kAligned && count == 4) return *reinterpret_cast<const Pack<4>*>(from);
  Pack<4> pack{};
  for (int k = 0; k < 4; ++k)
    if (k < count) pack.at[k] = from[k];
  return pack;
}

/// Stores the first `count` of four floats.
template <bool kAligned>
__device__ void store_pack(float* to, const Pack<4>& pack, int count) {
  if (kAligned && count == 4) {
    *reinterpret_cast<Pack<4>*>(to) = pack;
    return;
  }
  for (int k = 0; k < 4; ++k)
    if (k < count) to[k] = pack.at[k];
}

}  // namespace glia::GLIA_GPU
