// EXIF and XMP in texts of a PNG. Programs put EXIF there before PNG had a chunk for it, and some
// do still; XMP has no other place.
#pragma once

#include <optional>
#include <string>

#include "engine/formats/png_header.h"

namespace glia {

/// The EXIF block in a chunk tEXt, zTXt or iTXt with the name "Raw profile type exif" (or APP1, if
/// it holds one): a line with the profile's name, one with its length in bytes, and these in
/// hexadecimal, as ImageMagick and exiv2 write them. Nothing of any other chunk. Throws `Error`,
/// led by `name`, where such a text is damaged or longer than 1 MiB.
std::optional<std::string> exif_in_text(const PngChunk& chunk, const std::string& name);

/// The XMP packet in a chunk iTXt with the keyword "XML:com.adobe.xmp" (XMP part 3, 1.1.5). Nothing
/// of any other chunk. Throws `Error`, led by `name`, where one that is compressed is damaged or
/// longer than 1 MiB.
std::optional<std::string> xmp_in_text(const PngChunk& chunk, const std::string& name);

}  // namespace glia
