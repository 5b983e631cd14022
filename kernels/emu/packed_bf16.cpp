#include "kernels/emu/packed_bf16.h"

#include <bit>
#include <cmath>

namespace glia::emu {
namespace {

constexpr std::uint32_t kNan = 0x7FFF;

float half(std::uint32_t pair, int which) {
  return std::bit_cast<float>(which == 0 ? pair << 16 : pair & 0xFFFF0000u);
}

/// The bf16 nearest to x, ties to even.
std::uint32_t round_bf16(float x) {
  if (std::isnan(x)) return kNan;
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
}

/// a * b + c as a float whose rounding to bf16 is that of the exact value: the last bit says
/// whether anything was lost (rounding to odd).
float fma_odd(float a, float b, float c) {
  const double product = double{a} * b;  // exact: 16 bits
  const double sum = product + c;
  if (!std::isfinite(sum)) return static_cast<float>(sum);
  const double kept = sum - product, lost = (product - (sum - kept)) + (c - kept);
  auto result = static_cast<float>(sum);
  if (std::isinf(result)) return result;  // beyond bf16 too
  const double rest = (sum - double{result}) + lost;
  if (rest == 0) return result;
  auto bits = std::bit_cast<std::uint32_t>(result);
  if (!(bits & 1u)) {
    // Towards zero first, when rounding went the other way.
    if (result != 0 && (rest > 0) != (result > 0)) --bits;
    bits |= 1u;
    if (result == 0) bits = 1u | (rest < 0 ? 0x80000000u : 0u);
  }
  return std::bit_cast<float>(bits);
}

float relu(float x) {
  return std::isnan(x) || x > 0 ? x : 0.0f;
}

float larger(float x, float y) {
  if (std::isnan(x)) return y;
  if (std::isnan(y)) return x;
  if (x == y) return std::signbit(x) ? y : x;
  return x < y ? y : x;
}

}  // namespace

std::uint32_t pack_bf16(float low, float high, bool with_relu) {
  const auto one = [with_relu](float x) { return round_bf16(with_relu ? relu(x) : x); };
  return one(low) | one(high) << 16;
}

std::uint32_t fma_relu_bf16x2(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  const auto one = [=](int i) {
    return round_bf16(relu(fma_odd(half(a, i), half(b, i), half(c, i))));
  };
  return one(0) | one(1) << 16;
}

std::uint32_t max_bf16x2(std::uint32_t a, std::uint32_t b) {
  const auto one = [=](int i) { return round_bf16(larger(half(a, i), half(b, i))); };
  return one(0) | one(1) << 16;
}

}  // namespace glia::emu
