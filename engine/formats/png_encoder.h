// PNG files of 8-bit pictures: by libpng at its quickest, or by stb_image_write where Glia is built
// without it.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace glia {

/// The bytes of a file of `pixels`, [height, width, channels] with 1 channel (grey) or 3 (RGB).
/// Throws `Error` when these do not make a picture or there is no memory.
std::string encode_png(std::int64_t height, std::int64_t width, std::int64_t channels,
                       std::span<const std::uint8_t> pixels);

}  // namespace glia
