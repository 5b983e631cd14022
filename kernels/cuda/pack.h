// Neighbouring numbers that are loaded and stored at once, and computed with as floats.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/bf16.h"
#include "kernels/cuda/gpu.h"
#include "kernels/cuda/ptx_bf16.h"

namespace glia::GLIA_GPU {

/// The most bytes that one instruction moves.
inline constexpr std::size_t kPackBytes = 16;
/// As many of T as these hold: four floats, eight bf16.
template <class T>
inline constexpr int kPackOf = static_cast<int>(kPackBytes / sizeof(T));

template <int kWidth, class T = float>
struct alignas(kWidth * sizeof(T) < kPackBytes ? kWidth * sizeof(T) : kPackBytes) Pack {
  T at[kWidth];
};

/// Whether packs of kPackBytes may start at each of the addresses. They may at null pointers.
template <class... T>
bool pack_aligned(const T*... address) {
  return (... && (reinterpret_cast<std::uintptr_t>(address) % kPackBytes == 0));
}

/// kWidth elements from an aligned place on.
template <int kWidth, class T>
__device__ Pack<kWidth, T> read_pack(const T* from) {
  return *reinterpret_cast<const Pack<kWidth, T>*>(from);
}
/// The same of bf16, as floats.
template <int kWidth>
__device__ Pack<kWidth> read_pack(const Bf16* from) {
  if constexpr (kWidth == 1) {
    return {to_float(*from)};
  } else {
    const auto pairs = read_pack<kWidth / 2>(reinterpret_cast<const std::uint32_t*>(from));
    Pack<kWidth> pack{};
    for (int k = 0; k < kWidth; ++k)
      pack.at[k] = to_float({static_cast<std::uint16_t>(pairs.at[k / 2] >> k % 2 * 16)});
    return pack;
  }
}

/// Stores elements from an aligned place on.
template <int kWidth, class T>
__device__ void write_pack(T* to, const Pack<kWidth, T>& pack) {
  *reinterpret_cast<Pack<kWidth, T>*>(to) = pack;
}
/// The same as bf16, each rounded to the nearest.
template <int kWidth>
__device__ void write_pack(Bf16* to, const Pack<kWidth>& pack) {
  if constexpr (kWidth == 1) {
    *to = {static_cast<std::uint16_t>(ptx::pack_bf16(pack.at[0], 0))};
  } else {
    Pack<kWidth / 2, std::uint32_t> pairs{};
    for (int k = 0; k < kWidth; k += 2)
      pairs.at[k / 2] = ptx::pack_bf16(pack.at[k], pack.at[k + 1]);
    write_pack(reinterpret_cast<std::uint32_t*>(to), pairs);
  }
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
