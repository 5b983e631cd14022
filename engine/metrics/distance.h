// How far apart the outlines of two masks are.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace glia {

/// Distance from one row or column to the next. 1 x 1 measures in pixels.
struct PixelSize {
  double row = 1, column = 1;
};

/// HD95, the Hausdorff distance without its worst twentieth, between the masks [height, width]
/// `a` and `b`; a value above 0.5 is inside.
///
/// The outline of a mask is every pixel inside it that has one of its four neighbours outside; what
/// lies beyond the edge of the picture is outside. From each pixel of one outline the Euclidean
/// distance to the nearest pixel of the other is taken, centre to centre, and of these distances
/// the 95th percentile (engine/metrics/percentile.h). The result is the larger of the two
/// directions (Maier-Hein et al., "Metrics reloaded", Nature Methods 2024).
///
/// Both masks empty: undefined. One of them empty: the diagonal of the picture, which no real
/// distance exceeds. Throws `Error` when the masks do not have height * width values.
std::optional<double> hd95(std::span<const float> a, std::span<const float> b, std::int64_t height,
                           std::int64_t width, const PixelSize& size = {});

}  // namespace glia
