#include "engine/data/value_scale.h"

#include <fmt/format.h>

#include <algorithm>

namespace glia {

namespace {

constexpr float kLarge = 16;  // no picture that was divided by its white comes near this

}  // namespace

void ValueScales::add(std::span<const float> image, const std::filesystem::path& file) {
  float low = 0, high = 0;
  bool fraction = false;
  for (const float value : image) {
    low = std::min(low, value);
    high = std::max(high, value);
    fraction = fraction || (value > 0 && value < 1);
  }
  if (low < 0) return;  // standardised, whatever its scale was
  // Whole numbers within 0 and 1 may be a dark picture of 8 bits.
  const bool fractions = fraction && high <= 1;
  if (!fractions && high < kLarge) return;
  Group& group = fractions ? fractions_ : large_;
  if (group.images++ == 0) group.first = file;
  highest_ = std::max(highest_, high);
}

std::string ValueScales::problem() const {
  if (fractions_.images == 0 || large_.images == 0) return {};
  return fmt::format(
      "{} images lie within 0 and 1 (first {}), {} others go up to {:g} (first {}); bring them to "
      "one "
      "scale",
      fractions_.images, fractions_.first.string(), large_.images, highest_, large_.first.string());
}

}  // namespace glia
