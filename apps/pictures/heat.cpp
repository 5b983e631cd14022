#include "apps/pictures/heat.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/base/check.h"

namespace glia {

namespace {

using HeatColour = std::array<double, 3>;

constexpr HeatColour kRim{255, 255, 255};
// From weak to strong; lightness grows along both, so that they can be read in grey too.
constexpr std::array<HeatColour, 3> kWarm{{{110, 10, 20}, {225, 85, 10}, {255, 235, 90}}};
constexpr std::array<HeatColour, 3> kCold{{{20, 25, 120}, {10, 115, 225}, {150, 240, 255}}};
constexpr double kStrongest = 0.85;  // share of the colour over the slice; the slice stays visible

void check_size(const Plane& plane, const Picture& slice, const char* name) {
  check(plane.height == slice.height && plane.width == slice.width &&
            static_cast<std::int64_t>(plane.values.size()) == plane.height * plane.width,
        "picture: the {} is {} x {} ({} values), the slice is {} x {}; they must match", name,
        plane.height, plane.width, plane.values.size(), slice.height, slice.width);
}

/// The colour at `share` (0 to 1) of a ramp.
HeatColour colour_at(const std::array<HeatColour, 3>& ramp, double share) {
  const double at = share * (ramp.size() - 1);
  const auto low = std::min(static_cast<std::size_t>(at), ramp.size() - 2);
  HeatColour colour;
  for (std::size_t c = 0; c < 3; ++c)
    colour[c] = ramp[low][c] + (at - static_cast<double>(low)) * (ramp[low + 1][c] - ramp[low][c]);
  return colour;
}

void blend(std::uint8_t* pixel, const HeatColour& colour, double share) {
  for (std::size_t c = 0; c < 3; ++c)
    pixel[c] = static_cast<std::uint8_t>(std::lround((1 - share) * pixel[c] + share * colour[c]));
}

/// Whether a pixel of the enlarged picture lies in the region and at its rim.
class Rim {
 public:
  Rim(const Plane& region, int factor) : region_(region), factor_(factor) {}
  bool operator()(std::int64_t y, std::int64_t x) const {
    return inside(y, x) &&
           !(inside(y - 1, x) && inside(y + 1, x) && inside(y, x - 1) && inside(y, x + 1));
  }

 private:
  bool inside(std::int64_t y, std::int64_t x) const {
    if (y < 0 || x < 0 || y >= region_.height * factor_ || x >= region_.width * factor_)
      return false;
    return region_.values[static_cast<std::size_t>(y / factor_ * region_.width + x / factor_)] != 0;
  }

  const Plane& region_;
  int factor_;
};

}  // namespace

Picture heat_picture(const Picture& slice, const Plane& heat, const Plane& region) {
  check_size(heat, slice, "heat map");
  if (!region.values.empty()) check_size(region, slice, "region");
  const int factor = display_factor(slice.height, slice.width);
  Picture picture = enlarge(slice, factor);
  float largest = 0;
  for (const float value : heat.values)
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  const Rim rim(region, factor);
  for (std::int64_t y = 0; y < picture.height; ++y)
    for (std::int64_t x = 0; x < picture.width; ++x) {
      std::uint8_t* pixel = &picture.pixels[static_cast<std::size_t>(y * picture.width + x) * 3];
      const float value =
          heat.values[static_cast<std::size_t>(y / factor * heat.width + x / factor)];
      if (largest > 0 && std::isfinite(value)) {
        const double share = std::abs(value) / largest;
        blend(pixel, colour_at(value > 0 ? kWarm : kCold, share), kStrongest * std::sqrt(share));
      }
      if (!region.values.empty() && rim(y, x)) blend(pixel, kRim, 1);
    }
  return picture;
}

}  // namespace glia
