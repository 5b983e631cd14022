// JPEG: what its samples mean.
#include "engine/base/check.h"
#include "engine/formats/pixels.h"
#include "engine/formats/raster_formats.h"

namespace glia {

Raster decode_jpeg(std::string_view bytes, const std::string& name) {
  const JpegHeader jpeg = parse_jpeg_header(bytes, name);
  const std::vector<std::uint16_t> samples = jpeg_pixels(bytes, jpeg, name);
  Raster raster;
  raster.height = jpeg.height;
  raster.width = jpeg.width;
  raster.channels = jpeg.components;
  raster.lossy = true;
  raster.bits = 8;
  raster.most = 255;
  raster.orientation = jpeg.orientation;
  raster.kind = fmt::format("8-bit {} JPEG", jpeg.components == 1 ? "grey" : "RGB");
  raster.values.assign(samples.begin(), samples.end());
  return raster;
}

}  // namespace glia
