// bfloat16: the upper half of a float32's bits, so eight bits of significand and float32's
// exponents.
#pragma once

#include <bit>
#include <cstdint>

namespace glia {

struct Bf16 {
  std::uint16_t bits = 0;
};

/// Exact.
constexpr float to_float(Bf16 x) {
  return std::bit_cast<float>(std::uint32_t{x.bits} << 16);
}

/// The nearest, to even where two are equally near; what is beyond the largest becomes infinity,
/// and a NaN stays one.
constexpr Bf16 to_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return {static_cast<std::uint16_t>(bits >> 16 | 0x40u)};
  return {static_cast<std::uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16)};
}

}  // namespace glia
