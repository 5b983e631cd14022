// Where numbers stop being numbers.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

namespace glia {

/// Whether float32 holds it as a number above 0, of full precision: kernels compute in that.
inline bool is_positive_float(double value) {
  return value >= std::numeric_limits<float>::min() && value <= std::numeric_limits<float>::max();
}

/// NaN and infinities among values.
struct NotFinite {
  std::size_t count = 0, first = 0;  // how many, and the place of the first
};

/// Nothing when all are finite.
inline std::optional<NotFinite> find_not_finite(std::span<const float> values) {
  constexpr std::uint32_t kExponent = 0x7F800000;  // all of it set: an infinity or NaN
  bool any = false;                                // a loop without branches
  for (const float value : values)
    any |= (std::bit_cast<std::uint32_t>(value) & kExponent) == kExponent;
  if (!any) return std::nullopt;
  const auto bad = [](float value) { return !std::isfinite(value); };
  const auto first = std::find_if(values.begin(), values.end(), bad);
  return NotFinite{static_cast<std::size_t>(std::count_if(first, values.end(), bad)),
                   static_cast<std::size_t>(first - values.begin())};
}

}  // namespace glia
