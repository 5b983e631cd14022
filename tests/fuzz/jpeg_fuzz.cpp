// JPEG through libjpeg and stb_image.
#include "engine/formats/exif.h"
#include "engine/formats/pixels.h"
#include "engine/formats/raster.h"
#include "tests/fuzz/feed.h"

using namespace glia;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = view_of(data, size);
  feed("name: ", [&] {
    const JpegHeader header = parse_jpeg_header(bytes, "name");
    const auto by_stb = stb_jpeg_pixels(bytes, header, "name");
    require(std::ssize(by_stb) == header.height * header.width * header.components);
  });
  feed("name: ", [&] {
    Raster raster = decode_raster(bytes, "name");
    turn_upright(raster);
    require(std::ssize(raster.values) == raster.height * raster.width * raster.channels);
  });
  return 0;
}
