// The orientation in a picture's EXIF block: which corner of what was seen the first stored pixel
// is.
#pragma once

#include <optional>
#include <string_view>

namespace glia {

struct Raster;

/// Of an EXIF block, which is a small TIFF file (EXIF 2.32, 4.6.4, tag 274): 1 to 8, nothing where
/// it says nothing that is understood, which viewers take for 1.
std::optional<int> exif_orientation(std::string_view block);

/// Turns and mirrors a picture of that orientation so that it is upright.
void turn_upright(Raster& raster);

}  // namespace glia
