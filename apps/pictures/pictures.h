// Pictures of slices, masks and predictions, and PNG files of them. How to read them:
// docs/evaluation.md
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/base/if_there.h"

namespace glia {

/// 8-bit pixels, row by row, `channels` interleaved: 1 is grey, 3 is RGB.
struct Picture {
  int width = 0, height = 0, channels = 1;
  std::vector<std::uint8_t> pixels;
};

/// One plane of numbers, row by row: a channel, a mask or a map of probabilities.
struct Plane {
  std::span<const float> values;  // height * width
  std::int64_t height = 0, width = 0;
};

/// Channel `channel` of an image [height, width, channels] as grey. Black and white are the 1st and
/// the 99th percentile of the pixels above the channel's minimum (the background around a
/// skull-stripped brain is its constant minimum); without such pixels the picture is black. Throws
/// `Error` when there is no such channel or the sizes do not fit.
Picture channel_picture(std::span<const float> image, std::int64_t height, std::int64_t width,
                        std::int64_t channels, std::int64_t channel);

/// 255 where the value is above `threshold`, 0 elsewhere. Grey.
Picture mask_picture(const Plane& plane, float threshold = 0.5F);

/// round(255 p), p clamped to 0 to 1; NaN is 0. Grey.
Picture probability_picture(const Plane& probability);

/// The grey slice, enlarged by `display_factor`, with the truth as a solid green outline and the
/// prediction (values above `threshold`) as a dashed red outline around a red tint; where both
/// outlines run on the same pixels they are yellow. `truth` may have no values.
/// Green is much lighter than red and solid where red is dashed, for readers who cannot tell the
/// hues apart. Throws `Error` when the sizes differ.
Picture overlay_picture(const Picture& slice, const Plane& truth, const Plane& prediction,
                        float threshold = 0.5F);

/// slice | truth | mask beside each other, enlarged by `display_factor`, a thin line between them.
/// When `truth` has no values: slice | probability | mask.
Picture triptych_picture(const Picture& slice, const Plane& truth, const Plane& probability,
                         const Plane& mask);

/// Pictures of any size in rows of `columns`, each centred in a cell of the largest one's size, a
/// line between them. Throws `Error` when there is none or `columns` < 1.
Picture contact_sheet(std::span<const Picture> pictures, int columns);

/// How often a pixel is repeated in both directions so that a small slice fills a screen: the least
/// factor that makes the longer side at least 384 pixels.
int display_factor(std::int64_t height, std::int64_t width);

/// As RGB, every pixel `factor` times in both directions.
Picture enlarge(const Picture& source, int factor);

/// The bytes of a PNG file. Throws `Error` when the picture is empty or too large (2^31 bytes).
std::string encode_png(const Picture& picture);

/// Writes `picture` as a PNG file that is either whole or not there. Throws `Error` naming the
/// file.
void write_png(const std::filesystem::path& path, const Picture& picture,
               IfThere if_there = IfThere::replace);

}  // namespace glia
