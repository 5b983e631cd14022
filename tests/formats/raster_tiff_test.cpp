// TIFF.
#include "engine/formats/raster.h"

#include "tests/catch.h"
#include "tests/formats/encode.h"
#include "tests/data/slices.h"

using namespace glia;

namespace {

/// Distinct values that fit `bits`.
std::vector<std::uint16_t> tiff_ramp(int count, int bits) {
  std::vector<std::uint16_t> values;
  for (int i = 0; i < count; ++i)
    values.push_back(static_cast<std::uint16_t>((i * 40503 + 7) & ((1 << bits) - 1)));
  return values;
}

template <class T>
std::vector<float> tiff_floats(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

std::string tiff_refusal(const std::string& bytes) {
  return error_of([&] { decode_raster(bytes, "f"); });
}

}  // namespace

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

  const auto grey = tiff_ramp(height * width, 8);
  const std::vector<std::uint8_t> bytes(grey.begin(), grey.end());
  CHECK(decode_raster(tiff_file(spec, bytes_of(bytes)), "f").values == tiff_floats(grey));

  spec.bits = 16;
  spec.channels = 3;
  spec.photometric = 2;
  const auto colours = tiff_ramp(height * width * 3, 16);
  const Raster raster = decode_raster(tiff_file(spec, bytes_of(colours)), "f");
  CHECK(raster.channels == 3);
  CHECK(raster.values == tiff_floats(colours));

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

  const TiffSpec inside{.height = 16, .width = 16, .compression = 7};
  CHECK(decode_raster(tiff_file(inside, std::string(256, 'x')), "f").lossy);

  const TiffSpec rgba{.height = 1, .width = 1, .channels = 4, .photometric = 2, .alpha = true};
  CHECK(decode_raster(tiff_file(rgba, "abcd"), "f").alpha);
}

TEST_CASE("raster: TIFF of few bits, and with a palette", "[raster]") {
  const TiffSpec four{.height = 2, .width = 3, .bits = 4};
  const Raster grey = decode_raster(tiff_file(four, std::string("\x1F\x20\xA0\x30", 4)), "f");
  CHECK(grey.bits == 4);
  CHECK(grey.most == 15);
  CHECK(grey.values == std::vector<float>{1, 15, 2, 10, 0, 3});
  const TiffSpec places{
      .height = 1, .width = 3, .bits = 8, .photometric = 3, .palette = {{0, 0, 0}, {255, 128, 1}}};
  const Raster palette = decode_raster(tiff_file(places, std::string("\0\1\1", 3)), "f");
  CHECK(palette.channels == 3);
  CHECK(palette.indices == std::vector<float>{0, 1, 1});
  CHECK(palette.values == std::vector<float>{0, 0, 0, 255, 128, 1, 255, 128, 1});
}

TEST_CASE("raster: damage of TIFF, and more than it can hold", "[raster]") {
  const std::string tiff = tiff_file({.height = 40, .width = 40}, std::string(1600, 'x'));
  CHECK_THAT(tiff_refusal(tiff.substr(0, 600)), ContainsSubstring("damaged TIFF"));
  std::string large =
      tiff_file({.height = 40, .width = 40, .compression = 8}, std::string(1600, 'x'));
  for (const char tag : {'\x00', '\x01'}) {  // width and height, each a short number
    const std::size_t at =
        large.find(std::string{tag, '\x01', '\x03', '\0', '\1', '\0', '\0', '\0', 40, '\0'});
    REQUIRE(at != std::string::npos);
    large.replace(at + 8, 2, "\x10\x27");
  }
  CHECK_THAT(tiff_refusal(large),
             ContainsSubstring("claims 10000 x 10000 pixels, more than a file"));
}

TEST_CASE("raster: TIFFs that could be read in two ways are refused", "[raster]") {
  const auto refused = [](const TiffSpec& spec) {
    return tiff_refusal(tiff_file(spec, "abcdefgh"));
  };
  CHECK_THAT(refused({.height = 1, .width = 2, .pages = 2}), ContainsSubstring("several pages"));
  CHECK_THAT(refused({.height = 1, .width = 2, .orientation = 3}),
             ContainsSubstring("orientation tag 3"));
  const std::string xmp =
      R"(<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description )"
      R"(xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="3"/></rdf:RDF>)";
  CHECK_THAT(refused({.height = 1, .width = 2, .orientation = 0, .xmp = xmp}),
             ContainsSubstring("orientation 3 in XMP"));
  CHECK(refused({.height = 1, .width = 2, .orientation = 1, .xmp = xmp}).empty());
  CHECK_THAT(refused({.height = 1, .width = 1, .channels = 4, .photometric = 5}),
             ContainsSubstring("photometric 5"));
  CHECK_THAT(refused({.height = 1, .width = 2, .channels = 3, .bits = 4}),
             ContainsSubstring("3 channels of 4 unsigned bits"));
  CHECK_THAT(refused({.height = 1, .width = 2, .bits = 12}),
             ContainsSubstring("1 channels of 12 unsigned bits"));
  CHECK_THAT(refused({.height = 1, .width = 2, .bits = 16, .format = 3}),
             ContainsSubstring("1 channels of 16 floating-point bits; expected whole numbers of 8, "
                               "16 or 32 bits, or 1, 2 or 4 of one channel, or floating-point ones "
                               "of 32 or 64: convert it"));
}

TEST_CASE("raster: TIFFs are read once they are exported as told", "[raster]") {
  const TiffSpec plain{.height = 4, .width = 4};
  const std::string pixels = "0123456789abcdef";
  TiffSpec pages = plain, turned = plain, halves = plain;
  pages.pages = 2;
  turned.orientation = 3;
  halves.bits = 16;
  halves.format = 3;
  CHECK_THAT(error_of([&] { decode_raster(tiff_file(pages, pixels), "f"); }),
             ContainsSubstring("export each page as a file of its own"));
  CHECK_THAT(error_of([&] { decode_raster(tiff_file(turned, pixels), "f"); }),
             ContainsSubstring("export it upright"));
  CHECK_THAT(error_of([&] { decode_raster(tiff_file(halves, pixels + pixels), "f"); }),
             ContainsSubstring("convert it"));
  const std::string good = tiff_file(plain, pixels);
  CHECK_THAT(error_of([&] { decode_raster(good.substr(0, good.size() - 9), "f"); }),
             ContainsSubstring("again"));
  CHECK(decode_raster(good, "f").values == std::vector<float>(pixels.begin(), pixels.end()));
}

TEST_CASE("raster: float64 values of TIFF beyond float32 are refused as what they are",
          "[raster]") {
  const TiffSpec spec{.height = 1, .width = 2, .bits = 64, .format = 3};
  const auto file = [&](double second) {
    return tiff_file(spec, bytes_of(std::vector<double>{0.5, second}));
  };
  CHECK(decode_raster(file(3e38), "f").values == std::vector<float>{0.5F, 3e38F});
  CHECK_THAT(tiff_refusal(file(3.5e38)),
             ContainsSubstring("f: 1 of 2 values, the first 3.5e+38, are beyond the range"));
}
