// What a JPEG says before and between its pixels (ITU-T T.81, annex B), read by hand so that every
// build treats EXIF and damage alike.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace glia {

struct JpegHeader {
  std::int64_t height = 0, width = 0, components = 0;
  int orientation = 1;  // of EXIF, or else of XMP
};

/// Walks over all markers up to the last. Throws `Error`, led by `name`, when the file is cut off,
/// has colour components other than grey or three, or claims more pixels than it can hold.
JpegHeader parse_jpeg_header(std::string_view bytes, const std::string& name);

}  // namespace glia
