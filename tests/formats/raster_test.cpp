#include "engine/formats/raster.h"

#include <zlib.h>

#include <cmath>

#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/formats/encode.h"

using namespace glia;

namespace {

/// Distinct values that fit `bits`.
std::vector<std::uint16_t> ramp(int count, int bits) {
  std::vector<std::uint16_t> values;
  for (int i = 0; i < count; ++i)
    values.push_back(static_cast<std::uint16_t>((i * 40503 + 7) & ((1 << bits) - 1)));
  return values;
}

template <class T>
std::vector<float> floats(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

std::string raster_refusal(const std::string& bytes) {
  return error_of([&] { decode_raster(bytes, "f"); });
}

}  // namespace

TEST_CASE("raster: PNG of every depth and kind keeps its values", "[raster]") {
  for (bool interlaced : {false, true})
    for (int channels : {1, 2, 3, 4})
      for (int bits : {1, 2, 4, 8, 16}) {
        if (bits < 8 && channels > 1) continue;
        CAPTURE(interlaced, channels, bits);
        const auto values = ramp(9 * 11 * channels, bits);
        const Raster raster = decode_raster(png_file({.height = 9,
                                                      .width = 11,
                                                      .channels = channels,
                                                      .bits = bits,
                                                      .interlaced = interlaced},
                                                     values),
                                            "f");
        CHECK(raster.height == 9);
        CHECK(raster.width == 11);
        CHECK(raster.channels == channels);
        CHECK(raster.alpha == (channels % 2 == 0));
        CHECK(!raster.lossy);
        CHECK(raster.values == floats(values));
      }
}

TEST_CASE("raster: a PNG palette becomes RGB", "[raster]") {
  const Raster raster = decode_raster(
      png_file({.height = 1, .width = 3, .bits = 2, .palette = {{0, 0, 0}, {9, 8, 7}, {1, 2, 3}}},
               {1, 2, 0}),
      "f");
  CHECK(raster.channels == 3);
  CHECK(raster.values == std::vector<float>{9, 8, 7, 1, 2, 3, 0, 0, 0});
}

TEST_CASE("raster: TIFF in strips, tiles, planes and both byte orders keeps its values",
          "[raster]") {
  const int height = 19, width = 21;
  const int compression = GENERATE(1, 5, 8);
  const bool tiled = GENERATE(false, true), big_endian = GENERATE(false, true);
  CAPTURE(compression, tiled, big_endian);
  TiffSpec spec{.height = height,
                .width = width,
                .compression = compression,
                .tiled = tiled,
                .big_endian = big_endian};

  const auto grey = ramp(height * width, 8);
  const std::vector<std::uint8_t> bytes(grey.begin(), grey.end());
  CHECK(decode_raster(tiff_file(spec, bytes_of(bytes)), "f").values == floats(grey));

  spec.bits = 16;
  spec.channels = 3;
  spec.photometric = 2;
  const auto colours = ramp(height * width * 3, 16);
  const Raster raster = decode_raster(tiff_file(spec, bytes_of(colours)), "f");
  CHECK(raster.channels == 3);
  CHECK(raster.values == floats(colours));

  spec = {.height = height,
          .width = width,
          .bits = 32,
          .format = 3,
          .compression = compression,
          .tiled = tiled,
          .big_endian = big_endian};
  std::vector<float> reals;
  for (std::uint16_t value : grey) reals.push_back(static_cast<float>(value) / 3 - 20);
  CHECK(decode_raster(tiff_file(spec, bytes_of(reals)), "f").values == reals);
}

TEST_CASE("raster: TIFF with a plane a channel, white as 0, signed numbers, alpha", "[raster]") {
  const std::vector<std::uint8_t> planes{1, 2, 3, 4, 11, 12, 13, 14, 21, 22, 23, 24};
  const TiffSpec rgb{.height = 2, .width = 2, .channels = 3, .photometric = 2, .separate = true};
  CHECK(decode_raster(tiff_file(rgb, bytes_of(planes)), "f").values ==
        std::vector<float>{1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24});

  const TiffSpec bits{.height = 2, .width = 10, .bits = 1, .photometric = 0};
  CHECK(decode_raster(tiff_file(bits, std::string("\x7F\xC0\xFF\x80", 4)), "f").values ==
        std::vector<float>{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});

  const std::vector<std::int16_t> negative{-5, 6};
  const TiffSpec whole{.height = 1, .width = 2, .bits = 16, .format = 2};
  CHECK(decode_raster(tiff_file(whole, bytes_of(negative)), "f").values ==
        std::vector<float>{-5, 6});

  const TiffSpec rgba{.height = 1, .width = 1, .channels = 4, .photometric = 2, .alpha = true};
  CHECK(decode_raster(tiff_file(rgba, "abcd"), "f").alpha);
}

TEST_CASE("raster: JPEG is read and known to be lossy", "[raster]") {
  for (int channels : {1, 3}) {
    std::vector<std::uint8_t> pixels;
    for (int i = 0; i < 16 * 24 * channels; ++i)
      pixels.push_back(static_cast<std::uint8_t>(40 + i / channels % 24 * 4 + i % channels * 30));
    const std::string file = jpeg_file(16, 24, channels, pixels);
    const Raster raster = decode_raster(file, "f");
    CHECK(raster.lossy);
    REQUIRE(raster.channels == channels);
    for (std::size_t i = 0; i < pixels.size(); ++i)
      REQUIRE(std::abs(raster.values[i] - pixels[i]) < 12);
    CHECK_THAT(raster_refusal(file.substr(0, file.size() / 2)),
               ContainsSubstring("damaged or unusual JPEG"));
  }
  const TiffSpec inside{.height = 16, .width = 16, .compression = 7};
  CHECK(decode_raster(tiff_file(inside, std::string(256, 'x')), "f").lossy);
}

TEST_CASE("raster: damage is noticed", "[raster]") {
  const std::string png = png_file({.height = 40, .width = 40}, ramp(1600, 8));
  std::string flipped = png;
  flipped[png.size() / 2] = static_cast<char>(flipped[png.size() / 2] ^ 4);
  CHECK_THAT(raster_refusal(flipped), ContainsSubstring("damaged PNG"));
  CHECK_THAT(raster_refusal(png.substr(0, png.size() / 2)), ContainsSubstring("damaged PNG"));
  const std::string tiff = tiff_file({.height = 40, .width = 40}, std::string(1600, 'x'));
  CHECK_THAT(raster_refusal(tiff.substr(0, 600)), ContainsSubstring("damaged TIFF"));
  CHECK_THAT(raster_refusal(""), ContainsSubstring("empty"));
  CHECK_THAT(raster_refusal("GIF89a..."), ContainsSubstring("neither PNG nor TIFF nor JPEG"));
}

TEST_CASE("raster: a header that claims too much is refused before memory is taken", "[raster]") {
  const auto claiming = [](const std::string& sizes) {
    std::string png = png_file({.height = 1, .width = 1}, {0});
    png.replace(16, 8, sizes);
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(png.data() + 12), 17);
    for (std::size_t i = 0; i < 4; ++i) png[29 + i] = static_cast<char>(sum >> (24 - 8 * i) & 255);
    return png;
  };
  CHECK_THAT(raster_refusal(claiming({"\0\0\x10\0\0\0\x10\0", 8})),
             ContainsSubstring("more than a file of"));
  CHECK_THAT(raster_refusal(claiming({"\0\x0F\0\0\0\x0F\0\0", 8})),
             ContainsSubstring("more than the"));
}

TEST_CASE("raster: TIFFs that could be read in two ways are refused", "[raster]") {
  const auto refused = [](const TiffSpec& spec) {
    return raster_refusal(tiff_file(spec, "abcdefgh"));
  };
  CHECK_THAT(refused({.height = 1, .width = 2, .pages = 2}), ContainsSubstring("several pages"));
  CHECK_THAT(refused({.height = 1, .width = 2, .orientation = 3}),
             ContainsSubstring("orientation tag 3"));
  CHECK_THAT(refused({.height = 1, .width = 2, .photometric = 3}),
             ContainsSubstring("photometric 3"));
  CHECK_THAT(refused({.height = 1, .width = 2, .bits = 4}),
             ContainsSubstring("1 channels of 4 unsigned bits"));
}

TEST_CASE("raster: names", "[raster]") {
  for (const char* name : {"a.png", "a.b.PNG", "x y.tif", "A.TIFF", "a.jpg", "a.Jpeg"})
    CHECK(is_raster_name(name));
  for (const char* name : {"a.npy", "png", "a.png.txt", "a.nii.gz", ""})
    CHECK(!is_raster_name(name));
}
