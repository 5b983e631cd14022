// Numbers of 16 bits: the upper half of a float.
#pragma once

#include <bit>
#include <cstdint>

namespace glia::cpu {

using Bf16 = std::uint16_t;

/// The nearest bf16, to even where two are equally near. A NaN stays one; as in the instructions
/// that do the same, numbers below 2^-126 become 0.
inline Bf16 round_to_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<Bf16>(bits >> 16 | 0x40u);
  if (magnitude < 0x00800000u) return static_cast<Bf16>(bits >> 16 & 0x8000u);
  return static_cast<Bf16>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

inline float float_of(Bf16 x) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16);
}

}  // namespace glia::cpu
