// TIFF through libtiff.
#include "engine/formats/raster.h"
#include "tests/fuzz/feed.h"

using namespace glia;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  feed("name: ", [&] {
    const Raster raster = decode_raster(view_of(data, size), "name");
    require(std::ssize(raster.values) == raster.height * raster.width * raster.channels);
    require(raster.indices.empty() || std::ssize(raster.indices) == raster.height * raster.width);
  });
  return 0;
}
