// What can be done to a mask after the network: holes filled, small regions dropped, only the
// largest kept. Pure functions over one slice; all of it is off unless asked for, since it can take
// away tumour as well as errors.
//
// Pixels of a region hang together over edges and corners (8 neighbours), those of the background
// over edges only (4): so a closed curve, however thin, has an inside (Rosenfeld, 1970).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace glia {

/// Which of the steps are taken, in this order.
struct Postprocess {
  bool fill_holes = false;
  bool keep_largest = false;
  std::int64_t min_size = 0;  // pixels; smaller regions are dropped

  bool any() const { return fill_holes || keep_largest || min_size > 1; }
  /// "fill-holes, min-size 20"; empty when there is nothing to do.
  std::string str() const;
};

/// The regions of a mask [height, width]: 0 for background, else 1, 2, … in the order of their
/// first pixels. Any value other than 0 is foreground.
struct Regions {
  std::vector<std::int32_t> label;  // [height, width]
  std::vector<std::int64_t> size;   // pixels; size[0] is that of region 1
};
Regions label_regions(std::span<const float> mask, std::int64_t height, std::int64_t width);

/// Sets background that cannot be reached from the edge of the image to 1.
void fill_holes(std::span<float> mask, std::int64_t height, std::int64_t width);

/// Clears all regions but the largest; the first of them where several are as large.
void keep_largest(std::span<float> mask, std::int64_t height, std::int64_t width);

/// Clears regions of fewer than `min_size` pixels.
void drop_small(std::span<float> mask, std::int64_t height, std::int64_t width,
                std::int64_t min_size);

/// The steps that `steps` asks for, on a mask [height, width] of 0 and 1. Throws `Error` when the
/// mask has another number of pixels.
void postprocess(const Postprocess& steps, std::span<float> mask, std::int64_t height,
                 std::int64_t width);

}  // namespace glia
