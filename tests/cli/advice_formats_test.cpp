// JPEG and TIFF files that Glia does not take: each is named, and once it is exported as the
// message says the same command passes. Not in a build without the formats' libraries.
#include <filesystem>

#include "engine/base/file.h"
#include "tests/cli/advice.h"
#include "tests/cli/pictures.h"

using namespace glia;
using namespace glia::advice;

namespace {

namespace fs = std::filesystem;

struct BadPicture {
  std::string bytes, text;
};

/// Where the segment of a JPEG's frame (SOF0) begins: its length, 8 bits, height, width,
/// components.
std::size_t frame_of(const std::string& jpeg) {
  const std::size_t at = jpeg.find("\xFF\xC0");
  REQUIRE(at != std::string::npos);
  return at + 2;
}

std::string with_byte(std::string bytes, std::size_t at, char value) {
  bytes.at(at) = value;
  return bytes;
}

/// A little-endian TIFF with another value of a field of its one directory.
std::string with_field(std::string tiff, int tag, int value) {
  const auto number = [&](std::size_t at) {
    return static_cast<unsigned char>(tiff.at(at)) | static_cast<unsigned char>(tiff.at(at + 1))
                                                         << 8;
  };
  const auto directory = static_cast<std::size_t>(number(4) | number(6) << 16);
  for (std::size_t at = directory + 2; at < tiff.size(); at += 12) {
    if (number(at) != tag) continue;
    tiff.at(at + 8) = static_cast<char>(value & 255);
    tiff.at(at + 9) = static_cast<char>(value >> 8);
    return tiff;
  }
  FAIL("the TIFF has no such field");
  return {};
}

/// 16 x 16 pixels, the first rows of which are `marked` and the rest `other`.
std::string rows_of(char marked, char other) {
  return std::string(64, marked) + std::string(192, other);
}

}  // namespace

TEST_CASE("advice: JPEG and TIFF files that are damaged or unusual are exported again",
          "[cli][advice]") {
  const Network w;
  const std::string jpeg = jpeg_file(16, 16, 3, std::vector<std::uint8_t>(16 * 16 * 3, 7));
  const TiffSpec spec{.height = 16, .width = 16, .channels = 3, .photometric = 2};
  const std::string pixels(16 * 16 * 3, '\7'), tiff = tiff_file(spec, pixels);
  const auto variant = [&](auto change) {
    TiffSpec other = spec;
    change(other);
    return tiff_file(other, pixels);
  };
  const std::size_t frame = frame_of(jpeg);
  std::vector<std::pair<std::string, BadPicture>> all;
  for (const BadPicture& one :
       {BadPicture{with_byte(jpeg, frame + 7, '\4'),
                   "a JPEG with 4 colour components; convert it to grey or RGB"},
        BadPicture{jpeg.substr(0, jpeg.size() / 2), "ends too early; export the file again"},
        BadPicture{with_byte(with_byte(jpeg, frame + 3, '\x17'), frame + 5, '\x17'),
                   "bytes can hold; copy it again"}})
    all.emplace_back("one.jpg", one);
  for (const BadPicture& one :
       {BadPicture{tiff.substr(0, tiff.size() / 2), "damaged TIFF"},
        BadPicture{tiff.substr(0, tiff.size() / 2), "; copy or export the file again"},
        BadPicture{with_field(with_field(tiff, 256, 6000), 257, 6000),
                   "bytes can hold; copy it again"},
        BadPicture{variant([](TiffSpec& s) { s.orientation = 3; }), "orientation tag 3"},
        BadPicture{variant([](TiffSpec& s) { s.pages = 2; }), "pages"}})
    all.emplace_back("one.tif", one);
  for (const auto& [name, bad] : all) {
    CAPTURE(name, bad.text);
    write_bytes(w.path(name), bad.bytes);
    refused(w.on("predict", name, "out"), name + ": ");
    refused(w.on("predict", name, "out"), bad.text);
    write_bytes(w.path(name), name == "one.jpg" ? jpeg : tiff);
    works(w.on("predict", name, "out"));
    fs::remove_all(w.path("out"));
  }
}

TEST_CASE("advice: a mask of JPEG is exported as another format", "[cli][advice]") {
  const Pictures pictures;
  pictures.add_pair("a", 1);
  fs::remove(pictures.path("data/a_mask.png"));
  const Words import = with(pictures.import(pictures.path("out")), {"--group-by", "case"});
  std::vector<std::uint8_t> drawn(16 * 16);
  std::fill_n(drawn.begin(), 64, std::uint8_t{255});
  const std::string png = png_file({.height = 16, .width = 16}, {drawn.begin(), drawn.end()});
  const std::string tiff = tiff_file({.height = 16, .width = 16}, rows_of('\xFF', 0));
  pictures.add("a_mask.jpg", jpeg_file(16, 16, 1, drawn));
  refused(import, "a_mask.jpg: a mask with lossy compression (8-bit grey JPEG)");
  refused(import, "export it as PNG, TIFF, .npy or NIfTI");
  fs::remove(pictures.path("data/a_mask.jpg"));
  const fs::path npy = pictures.path("a_mask.npy");
  write_npy<std::uint8_t>(npy, {16, 16}, drawn);
  for (const auto& [name, bytes] : {std::pair("a_mask.png", png), std::pair("a_mask.tif", tiff),
                                    std::pair("a_mask.npy", read_file(npy))}) {
    pictures.add(name, bytes);
    works(import);
    fs::remove_all(pictures.path("out"));
    fs::remove(pictures.path(std::string("data/") + name));
  }
}

TEST_CASE("advice: masks that are mostly tumour are written the other way round", "[cli][advice]") {
  const Pictures pictures;
  pictures.add_pair("a", 1);
  fs::remove(pictures.path("data/a_mask.png"));
  const auto told = [&](const TiffSpec& spec, const std::string& pixels) {
    pictures.add("a_mask.tif", tiff_file(spec, pixels));
    const Outcome outcome =
        run_glia(with(pictures.import(pictures.path("out")), {"--group-by", "case"}));
    CAPTURE(outcome.output);
    CHECK(outcome.code == 0);
    fs::remove_all(pictures.path("out"));
    return outcome;
  };
  const TiffSpec black{.height = 16, .width = 16},
      white{.height = 16, .width = 16, .photometric = 0};
  const Outcome by_file = told(white, rows_of('\xFF', 0));
  CHECK(contains(by_file, "a_mask.tif: 192 of 256 pixels are tumour"));
  CHECK(contains(by_file, "then write it again with black as 0"));
  CHECK_FALSE(contains(told(black, rows_of('\xFF', 0)), "are tumour"));
  CHECK(contains(told(black, rows_of(0, '\xFF')), "are background and tumour exchanged"));
  CHECK_FALSE(contains(told(white, rows_of(0, '\xFF')), "are tumour"));
}
