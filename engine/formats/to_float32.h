// Wider numbers of files as float32, in which Glia computes.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>

#include "engine/base/check.h"

namespace glia {

/// Rounds one value after the other and counts those that are finite and beyond float32's range.
class ToFloat32 {
 public:
  /// NaN and infinities stay what they are; a value beyond the range is 0.
  float operator()(double value) {
    constexpr double kMost = std::numeric_limits<float>::max();
    if (!(std::abs(value) > kMost) || std::isinf(value)) return static_cast<float>(value);
    if (beyond_++ == 0) first_ = value;
    return 0;
  }

  /// Throws `Error`, led by `name`, when one of the `all` values of the file was beyond the range.
  void check_range(const std::string& name, std::size_t all) const {
    check(
        beyond_ == 0,
        "{}: {} of {} values, the first {:g}, are beyond the range of float32 (3.4e+38), in which "
        "Glia computes; write the file again with all values scaled, or these replaced by 0",
        name, beyond_, all, first_);
  }

 private:
  std::size_t beyond_ = 0;
  double first_ = 0;
};

}  // namespace glia
