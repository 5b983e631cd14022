// PNG through libpng and stb_image, which must agree where both read it. Checksums are made right
// before, or nothing else would ever be tried.
#include <algorithm>

#include "engine/formats/exif.h"
#include "engine/formats/pixels.h"
#include "engine/formats/raster.h"
#include "tests/formats/encode.h"
#include "tests/fuzz/feed.h"

using namespace glia;

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned) {
  size = LLVMFuzzerMutate(data, size, most);
  const std::string mended = with_png_checksums(std::string(view_of(data, size)));
  std::copy(mended.begin(), mended.end(), data);  // of the same length
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = view_of(data, size);
  std::vector<std::uint16_t> by_stb, by_libpng;
  feed("name: ", [&] {
    const PngHeader header = parse_png_header(bytes, "name");
    by_stb = stb_png_pixels(bytes, header, "name");
    require(std::ssize(by_stb) == header.height * header.width * header.samples());
  });
  feed("name: ", [&] { by_libpng = png_pixels(bytes, parse_png_header(bytes, "name"), "name"); });
  require(by_stb.empty() || by_libpng.empty() || by_stb == by_libpng);
  feed("name: ", [&] {
    Raster raster = decode_raster(bytes, "name");
    turn_upright(raster);
    require(std::ssize(raster.values) == raster.height * raster.width * raster.channels);
  });
  return 0;
}
