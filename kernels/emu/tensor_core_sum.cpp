#include "kernels/emu/tensor_core_sum.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace glia::emu {
namespace {

double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(1023 + exponent) << 52);
}

/// IEEE's sum where an operand is infinite or not a number.
float not_finite(const Operand* a, const Operand* b, int count, float c) {
  double sum = c;
  for (int i = 0; i < count; ++i) sum += a[i].value * b[i].value;
  return std::isnan(sum) ? std::bit_cast<float>(0x7FFFFFFFu) : static_cast<float>(sum);
}

float truncate_to_float(double x) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  if (std::abs(x) >= 0x1p128)
    return std::copysign(std::numeric_limits<float>::infinity(), static_cast<float>(x));
  const auto nearest = static_cast<float>(x);
  if (std::abs(double{nearest}) <= std::abs(x)) return nearest;
  return std::isinf(nearest) ? std::copysign(kLargest, nearest) : std::nextafter(nearest, 0.0f);
}

}  // namespace

float fused_dot_add(const Operand* a, const Operand* b, int count, float c, int fraction_bits) {
  int top = operand(c).exponent;
  bool finite = top != kNotFinite;
  for (int i = 0; i < count; ++i) {
    finite = finite && a[i].exponent != kNotFinite && b[i].exponent != kNotFinite;
    top = std::max(top, a[i].exponent + b[i].exponent);
  }
  if (!finite) return not_finite(a, b, count, c);
  const double scale = power_of_two(fraction_bits - top);
  // A term is below 4 * 2^25.
  auto sum = static_cast<std::int64_t>(static_cast<std::int32_t>(c * scale));
  for (int i = 0; i < count; ++i) sum += static_cast<std::int32_t>(a[i].value * b[i].value * scale);
  return truncate_to_float(static_cast<double>(sum) * power_of_two(top - fraction_bits));
}

}  // namespace glia::emu
