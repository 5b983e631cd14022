// The decoders behind decode_raster, one a format. All throw `Error` led by `name`.
#pragma once

#include "engine/formats/raster.h"

namespace glia {

Raster decode_png(std::string_view bytes, const std::string& name);
Raster decode_jpeg(std::string_view bytes, const std::string& name);
Raster decode_tiff(std::string_view bytes, const std::string& name);

/// Throws `Error` unless a picture of this size has pixels and fits in memory: headers are believed
/// only after this.
void check_raster_size(std::int64_t height, std::int64_t width, std::int64_t channels,
                       const std::string& name);

}  // namespace glia
