// The samples of a compressed picture, whose header was read and found sound: by libpng and
// libjpeg, or by stb_image where Glia is built without them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/formats/jpeg_header.h"
#include "engine/formats/png_header.h"

namespace glia {

/// [height, width, samples], as stored: places in a palette, values of 1, 2 or 4 bits unscaled.
/// Throws `Error`, led by `name`, on damage.
std::vector<std::uint16_t> png_pixels(std::string_view bytes, const PngHeader& header,
                                      const std::string& name);
/// [height, width, components], grey or RGB.
std::vector<std::uint16_t> jpeg_pixels(std::string_view bytes, const JpegHeader& header,
                                       const std::string& name);

// The same by stb_image, in every build, so that the two can be compared.
std::vector<std::uint16_t> stb_png_pixels(std::string_view bytes, const PngHeader& header,
                                          const std::string& name);
std::vector<std::uint16_t> stb_jpeg_pixels(std::string_view bytes, const JpegHeader& header,
                                           const std::string& name);

/// What a zlib stream (RFC 1950) expands to, by stb_image; nothing where it is damaged or that is
/// more than `most` bytes.
std::optional<std::string> stb_inflate(std::string_view packed, std::size_t most);

}  // namespace glia
