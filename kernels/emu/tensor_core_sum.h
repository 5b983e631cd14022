// The arithmetic inside tensor cores, bit for bit: how a product of 16-bit or tf32 operands is
// summed into f32.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace glia::emu {

/// `Operand` values a[i] and b[i], exact products, and the exponents by which they are aligned.
struct Operand {
  double value = 0;
  std::int32_t exponent = 0;  // of the leading bit; -126 for zero and subnormals
};
inline constexpr std::int32_t kNotFinite = 128;  // the exponent of Inf and NaN
inline Operand operand(float value) {
  const auto field = static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(value) >> 23 & 0xFF);
  return {value, std::max(field, 1) - 127};
}

/// c + sum of a[i] * b[i], i < count <= 16. The terms are aligned to the largest exponent (a
/// product's is the sum of its operands'), truncated towards zero to `fraction_bits` bits after its
/// point, added exactly, and the sum is truncated to f32. NaN is 0x7FFFFFFF.
///
/// Hopper: 25 bits, all of one mma at once; Ampere: 24 bits, in two halves one after the other.
/// Source: the models of "MMA-Sim: Bit-Accurate Reference Model of Tensor Cores and Matrix Cores"
/// (arXiv 2511.10909), which its authors compared with GPUs. No GPU has confirmed this code.
float fused_dot_add(const Operand* a, const Operand* b, int count, float c, int fraction_bits);

}  // namespace glia::emu
