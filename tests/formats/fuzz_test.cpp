// Damaged and hostile pictures from a seeded generator.
#include "engine/formats/pixels.h"
#include "engine/formats/raster.h"
#include "tests/catch.h"
#include "tests/formats/encode.h"
#include "tests/formats/mutate.h"

using namespace glia;

namespace {

void decode_picture(const std::string& bytes) {
  const Raster raster = decode_raster(bytes, "name");
  REQUIRE(std::ssize(raster.values) == raster.height * raster.width * raster.channels);
}

/// The decoder of builds without format libraries too.
void decode_png_by_both(const std::string& damaged) {
  const std::string bytes = with_png_checksums(damaged);
  const PngHeader header = parse_png_header(bytes, "name");
  const auto by_stb = stb_png_pixels(bytes, header, "name");
  REQUIRE(std::ssize(by_stb) == header.height * header.width * header.samples());
  decode_picture(bytes);
}

void decode_jpeg_by_both(const std::string& bytes) {
  const JpegHeader header = parse_jpeg_header(bytes, "name");
  const auto by_stb = stb_jpeg_pixels(bytes, header, "name");
  REQUIRE(std::ssize(by_stb) == header.height * header.width * header.components);
  decode_picture(bytes);
}

}  // namespace

TEST_CASE("fuzz: damaged PNG is read or refused", "[fuzz]") {
  std::vector<std::string> files;
  for (bool interlaced : {false, true})
    for (int bits : {8, 16})
      files.push_back(png_file(
          {.height = 13, .width = 17, .channels = 4, .bits = bits, .interlaced = interlaced},
          noise(13 * 17 * 4, bits)));
  files.push_back(png_file({.height = 5, .width = 9, .bits = 2, .palette = {{0, 0, 0}, {1, 2, 3}}},
                           noise(45, 1)));
  const Outcomes outcomes = feed(files, 1, 3000, decode_png_by_both);
  CHECK(outcomes.refused > 1000);
}

TEST_CASE("fuzz: damaged JPEG is read or refused", "[fuzz]") {
  const auto values = noise(24 * 24 * 3, 8);
  const std::vector<std::uint8_t> pixels(values.begin(), values.end());
  std::vector<std::string> files;
  for (int channels : jpeg_channels()) files.push_back(jpeg_file(24, 24, channels, pixels));
  const Outcomes outcomes = feed(files, 3, 2000, decode_jpeg_by_both);
  CHECK(outcomes.refused > 500);
}
