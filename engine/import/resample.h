// Slices to another size: resized, and with a margin around them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace glia {

struct Size {
  std::int64_t height = 0, width = 0;
  bool operator==(const Size&) const = default;
};

/// A slice resized to `inner`, which then lies in the middle of `outer`.
struct Fit {
  Size inner, outer;
};

/// How a slice of size `from` comes to another one. Resizing keeps the ratio of height and width,
/// as large as `resize` has room for, and a margin fills the rest; with `stretch` it takes all of
/// it. `pad_to` is the size with a further margin. Throws `Error` when that is too small.
Fit fit(Size from, const std::optional<Size>& resize, bool stretch,
        const std::optional<Size>& pad_to);

/// "240x256": height, then width. Throws `Error` naming `flag` unless both are 1 to 65535.
Size parse_size(std::string_view text, std::string_view flag);

/// An image [height, width, channels] resized with a triangle filter: linear interpolation where it
/// grows, a mean with linear weights where it shrinks (so that no detail turns into noise). Pixels
/// are squares, whose outer edges stay where they are.
std::vector<float> resize_image(std::span<const float> image, Size from, std::int64_t channels,
                                Size to);

/// A mask [height, width]: the value of the nearest pixel.
std::vector<std::uint8_t> resize_mask(std::span<const std::uint8_t> mask, Size from, Size to);

/// An image with a margin, itself in the middle (an odd pixel goes below and to the right). The
/// margin of a channel has its least value, as the air around a head has. Throws `Error` when `to`
/// is smaller than `from`.
std::vector<float> pad_image(std::span<const float> image, Size from, std::int64_t channels,
                             Size to);

/// An image as `fit` says: resized, then with a margin.
std::vector<float> fit_image(std::span<const float> image, Size from, std::int64_t channels,
                             const Fit& fit);

/// The way back for a map [fit.outer] of an image: without the margin, resized to `to`.
std::vector<float> unfit_map(std::span<const float> map, const Fit& fit, Size to);

/// A mask with a margin of zeros.
std::vector<std::uint8_t> pad_mask(std::span<const std::uint8_t> mask, Size from, Size to);

}  // namespace glia
