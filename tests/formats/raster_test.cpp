#include "engine/formats/raster.h"

#include <cmath>

#include "engine/formats/exif.h"
#include "engine/formats/pixels.h"
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
        const std::string file = png_file({.height = 9,
                                           .width = 11,
                                           .channels = channels,
                                           .bits = bits,
                                           .interlaced = interlaced},
                                          values);
        const Raster raster = decode_raster(file, "f");
        CHECK(stb_png_pixels(file, parse_png_header(file, "f"), "f") == values);
        CHECK(raster.bits == bits);
        CHECK(raster.most == static_cast<float>((1 << bits) - 1));
        CHECK(raster.height == 9);
        CHECK(raster.width == 11);
        CHECK(raster.channels == channels);
        CHECK(raster.alpha == (channels % 2 == 0));
        CHECK(!raster.lossy);
        CHECK(raster.values == floats(values));
      }
}

TEST_CASE("raster: a PNG palette is RGB and places", "[raster]") {
  const PngSpec spec{
      .height = 1, .width = 3, .bits = 2, .palette = {{0, 0, 0}, {9, 8, 7}, {1, 2, 3}}};
  const std::string file = png_file(spec, {1, 2, 0});
  const Raster raster = decode_raster(file, "f");
  CHECK(raster.channels == 3);
  CHECK(raster.most == 255);
  CHECK(raster.values == std::vector<float>{9, 8, 7, 1, 2, 3, 0, 0, 0});
  CHECK(raster.indices == std::vector<float>{1, 2, 0});
  CHECK(stb_png_pixels(file, parse_png_header(file, "f"), "f") ==
        std::vector<std::uint16_t>{1, 2, 0});
  CHECK_THAT(raster_refusal(png_file(spec, {1, 2, 3})),
             ContainsSubstring("a pixel of colour 3 in a palette of 3"));
}

TEST_CASE("raster: transparent colours are an alpha channel", "[raster]") {
  PngSpec spec{.height = 1, .width = 2, .bits = 1, .palette = {{5, 5, 5}, {9, 8, 7}}};
  spec.transparency = std::string(1, '\x40');  // of the first colour; the second is opaque
  const Raster palette = decode_raster(png_file(spec, {0, 1}), "f");
  CHECK(palette.alpha);
  CHECK(palette.values == std::vector<float>{5, 5, 5, 64, 9, 8, 7, 255});
  PngSpec grey{.height = 1, .width = 3, .bits = 4, .transparency = std::string("\0\x02", 2)};
  CHECK(decode_raster(png_file(grey, {1, 2, 15}), "f").values ==
        std::vector<float>{1, 15, 2, 0, 15, 15});
  grey = {.height = 1, .width = 2, .channels = 3, .transparency = std::string("\0\1\0\2\0\3", 6)};
  CHECK(decode_raster(png_file(grey, {1, 2, 3, 1, 2, 4}), "f").values ==
        std::vector<float>{1, 2, 3, 0, 1, 2, 4, 255});
}

TEST_CASE("raster: JPEG is read and known to be lossy", "[raster]") {
  for (int channels : jpeg_channels()) {
    std::vector<std::uint8_t> pixels;
    for (int i = 0; i < 16 * 24 * channels; ++i)
      pixels.push_back(static_cast<std::uint8_t>(40 + i / channels % 24 * 4 + i % channels * 30));
    const std::string file = jpeg_file(16, 24, channels, pixels);
    const Raster raster = decode_raster(file, "f");
    CHECK(raster.lossy);
    REQUIRE(raster.channels == channels);
    for (std::size_t i = 0; i < pixels.size(); ++i)
      REQUIRE(std::abs(raster.values[i] - pixels[i]) < 12);
    const auto by_stb = stb_jpeg_pixels(file, parse_jpeg_header(file, "f"), "f");
    for (std::size_t i = 0; i < pixels.size(); ++i) REQUIRE(std::abs(by_stb[i] - pixels[i]) < 12);
    for (const std::size_t kept : {file.size() / 2, file.size() - 2})
      CHECK_THAT(raster_refusal(file.substr(0, kept)),
                 ContainsSubstring("damaged or unusual JPEG: it ends too early"));
  }
}

TEST_CASE("raster: damage is noticed", "[raster]") {
  const std::string png = png_file({.height = 40, .width = 40}, ramp(1600, 8));
  std::string flipped = png;
  flipped[png.size() / 2] = static_cast<char>(flipped[png.size() / 2] ^ 4);
  CHECK_THAT(raster_refusal(flipped), ContainsSubstring("damaged PNG"));
  CHECK_THAT(raster_refusal(png.substr(0, png.size() / 2)), ContainsSubstring("damaged PNG"));
  CHECK_THAT(raster_refusal(""), ContainsSubstring("empty"));
  CHECK_THAT(raster_refusal("GIF89a..."), ContainsSubstring("but a GIF by its first bytes"));
  CHECK_THAT(raster_refusal("nothing"), ContainsSubstring("neither PNG nor TIFF nor JPEG"));
  const std::string end = png_chunk("IEND", "");
  const std::string bare = png.substr(0, png.size() - end.size());
  CHECK_THAT(raster_refusal(bare), ContainsSubstring("ends too early"));
  CHECK_THAT(raster_refusal(bare + png_chunk("NEED", "") + end),
             ContainsSubstring("a chunk NEED that Glia does not know"));
  CHECK_THAT(raster_refusal(bare + png_chunk("acTL", "") + end), ContainsSubstring("animated"));
  CHECK(raster_refusal(bare + png_chunk("meRe", "x") + end).empty());
}

TEST_CASE("raster: a header that claims too much is refused before memory is taken", "[raster]") {
  const auto claiming = [](const std::string& sizes) {
    std::string png = png_file({.height = 1, .width = 1}, {0});
    constexpr std::size_t kHeader = 8, kWhole = 25, kContent = 13;
    std::string content = png.substr(kHeader + 8, kContent);
    return png.replace(kHeader, kWhole, png_chunk("IHDR", content.replace(0, 8, sizes)));
  };
  CHECK_THAT(raster_refusal(claiming({"\0\0\x10\0\0\0\x10\0", 8})),
             ContainsSubstring("more than a file of"));
  CHECK_THAT(raster_refusal(claiming({"\0\x0F\0\0\0\x0F\0\0", 8})),
             ContainsSubstring("pixels with 1 channels, more than the"));
  std::string jpeg = jpeg_file(8, 8, 3, std::vector<std::uint8_t>(192));
  jpeg.replace(jpeg.find("\xFF\xC0") + 5, 4, "\x10\x10\x10\x10");
  CHECK_THAT(raster_refusal(jpeg),
             ContainsSubstring("claims 4112 x 4112 pixels, more than a file"));
}

TEST_CASE("raster: pictures are as upright as their EXIF orientation says", "[raster][exif]") {
  // What the standard says of the first row and column, for stored pixels 1 2 3 over 4 5 6.
  const std::vector<std::vector<float>> upright{{1, 2, 3, 4, 5, 6},   // 1: top, left
                                                {3, 2, 1, 6, 5, 4},   // 2: top, right
                                                {6, 5, 4, 3, 2, 1},   // 3: bottom, right
                                                {4, 5, 6, 1, 2, 3},   // 4: bottom, left
                                                {1, 4, 2, 5, 3, 6},   // 5: left, top
                                                {4, 1, 5, 2, 6, 3},   // 6: right, top
                                                {6, 3, 5, 2, 4, 1},   // 7: right, bottom
                                                {3, 6, 2, 5, 1, 4}};  // 8: left, bottom
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (bool big_endian : {false, true}) {
      CAPTURE(orientation, big_endian);
      const std::string block = exif_block(orientation, big_endian);
      CHECK(exif_orientation(block).value_or(0) == orientation);
      Raster raster = decode_raster(
          png_file({.height = 2, .width = 3, .exif = block}, {1, 2, 3, 4, 5, 6}), "f");
      CHECK(raster.orientation == orientation);
      CHECK(raster.values == std::vector<float>{1, 2, 3, 4, 5, 6});
      turn_upright(raster);
      CHECK(raster.height == (orientation < 5 ? 2 : 3));
      CHECK(raster.width == (orientation < 5 ? 3 : 2));
      CHECK(raster.values == upright.at(static_cast<std::size_t>(orientation - 1)));
      const std::string jpeg = jpeg_file(8, 8, 3, std::vector<std::uint8_t>(192));
      CHECK(decode_raster(with_exif(jpeg, block), "f").orientation == orientation);
    }
}

TEST_CASE("raster: EXIF in a PNG's text is read where it has no chunk of its own",
          "[raster][exif]") {
  const std::string mark("Exif\0\0", 6);
  const auto orientation_of = [](const std::string& texts, const std::string& exif = "") {
    return decode_raster(png_file({.height = 1, .width = 2, .exif = exif, .texts = texts}, {1, 2}),
                         "f")
        .orientation;
  };
  for (const bool packed : {false, true})
    for (const std::string keyword :
         {"Raw profile type exif", "Raw profile type EXIF", "Raw profile type APP1"}) {
      CAPTURE(packed, keyword);
      const auto text = [&](const std::string& profile, int said = -1) {
        return profile_chunk(keyword, profile, packed, said);
      };
      for (int orientation = 1; orientation <= 8; ++orientation)
        for (const bool big_endian : {false, true}) {
          const std::string block = exif_block(orientation, big_endian);
          CHECK(orientation_of(text(mark + block)) == orientation);
          CHECK(orientation_of(text(block)) == orientation);
          CHECK(orientation_of(text(mark + block + std::string(60'000, 'x'))) == orientation);
          CHECK(orientation_of(text(block), exif_block(3)) == 3);
        }
      // The same chunk as text in UTF-8, with a language.
      const auto international = [&](const std::string& chunk) {
        const std::string front = keyword + std::string(1, '\0');
        const std::string rest = chunk.substr(8 + front.size() + (packed ? 1 : 0));
        return png_chunk("iTXt", front + std::string(packed ? "\1\0" : "\0\0", 2) + "en" +
                                     std::string(2, '\0') + rest.substr(0, rest.size() - 4));
      };
      CHECK(orientation_of(international(text(exif_block(6)))) == 6);
      CHECK(orientation_of(international(text(mark + exif_block(3, true)))) == 3);
      CHECK(orientation_of(text("<xmp/>")) == 1);
      CHECK(orientation_of(text("<xmp/>") + text(exif_block(6)) + text(exif_block(5))) == 6);
      CHECK(orientation_of(text("")) == 1);
      // Longer than it is, or than is read; not packed as it says.
      for (const std::string& bad :
           {text(mark, 7), text(exif_block(6) + std::string(600'000, 'x')),
            png_chunk("zTXt", keyword + std::string(2, '\0') + "none"),
            png_chunk("zTXt", keyword + std::string("\0\1none", 6)), png_chunk("zTXt", keyword),
            png_chunk("tEXt", keyword), png_chunk("iTXt", keyword),
            png_chunk("iTXt", keyword + std::string("\0\1\0en", 5)),
            png_chunk("tEXt", keyword + std::string(1, '\0') + "\nexif"),
            png_chunk("tEXt", keyword + std::string(1, '\0') + "\nexif\n 2\n0g\n")})
        CHECK(raster_refusal(png_file({.height = 1, .width = 2, .texts = bad}, {1, 2})) ==
              "f: its EXIF, in the text '" + keyword +
                  "', is damaged or longer than 1024 KiB; export the picture again, upright and "
                  "without EXIF");
    }
  // Other texts are nobody's business.
  CHECK(orientation_of(profile_chunk("Raw profile type iptc", exif_block(6), true)) == 1);
  CHECK(orientation_of(png_chunk("zTXt", "Comment")) == 1);
}

namespace {

/// A packet with this in its description.
std::string packet(const std::string& property) {
  return "<x:xmpmeta xmlns:x='adobe:ns:meta/'>"
         "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
         "<rdf:Description xmlns:tiff='http://ns.adobe.com/tiff/1.0/' " +
         property + "</rdf:Description></rdf:RDF></x:xmpmeta>";
}

/// As zlib has what it does not compress.
std::string stored(const std::string& bytes) {
  const auto length = static_cast<unsigned>(bytes.size());
  unsigned a = 1, b = 0;  // Adler-32
  for (const char c : bytes) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  std::string all("\x78\x01\x01", 3);
  for (const unsigned byte : {length, length >> 8, ~length, ~length >> 8})
    all += static_cast<char>(byte & 255);
  all += bytes;
  for (const unsigned byte : {b >> 8, b, a >> 8, a}) all += static_cast<char>(byte & 255);
  return all;
}

}  // namespace

TEST_CASE("raster: XMP's orientation is read where EXIF has none", "[raster][exif]") {
  const std::string keyword = "XML:com.adobe.xmp";
  const auto chunk = [&](const std::string& text, bool packed) {
    return png_chunk("iTXt", keyword + std::string(packed ? "\0\1\0\0\0" : "\0\0\0\0\0", 5) + text);
  };
  const auto orientation_of = [](const std::string& texts, const std::string& exif = "") {
    return decode_raster(png_file({.height = 1, .width = 2, .exif = exif, .texts = texts}, {1, 2}),
                         "f")
        .orientation;
  };
  const std::string jpeg = jpeg_file(8, 8, 3, std::vector<std::uint8_t>(192));
  const std::string mark("http://ns.adobe.com/xap/1.0/\0", 29);
  const auto in_jpeg = [&](const std::string& text, const std::string& file) {
    const std::string segment = mark + text;
    return decode_raster(
               file.substr(0, 2) + "\xFF\xE1" + static_cast<char>((segment.size() + 2) >> 8) +
                   static_cast<char>((segment.size() + 2) & 255) + segment + file.substr(2),
               "f")
        .orientation;
  };
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string digit = std::to_string(orientation);
    for (const std::string& property :
         {"tiff:Orientation=\"" + digit + "\">", "tiff:Orientation='" + digit + "'>",
          "a='tiff:Orientation'\n tiff:Orientation = \" " + digit + " \" >",
          "><tiff:Orientation>" + digit + "</tiff:Orientation>",
          "><tiff:Orientation>\n " + digit + "\n</tiff:Orientation>"}) {
      CAPTURE(property);
      CHECK(orientation_of(chunk(packet(property), false)) == orientation);
      CHECK(in_jpeg(packet(property), jpeg) == orientation);
      // EXIF comes first, unless it says nothing.
      CHECK(orientation_of(chunk(packet(property), false), exif_block(3)) == 3);
      CHECK(orientation_of(chunk(packet(property), false), exif_block(0)) == orientation);
      CHECK(in_jpeg(packet(property), with_exif(jpeg, exif_block(7))) == 7);
      CHECK(in_jpeg(packet(property), with_exif(jpeg, exif_block(0))) == orientation);
    }
  }
  for (const std::string property :
       {"tiff:Orientation=\"9\">", "tiff:Orientation=\"0\">", "tiff:Orientation=\"16\">",
        "><tiff:Orientation></tiff:Orientation>", ">"})
    CHECK(orientation_of(chunk(packet(property), false)) == 1);
  CHECK(orientation_of(chunk("no XML, and not of any interest", false)) == 1);
  // What may turn the picture and cannot be read is no reason to guess.
  for (const std::string& bad : {"\xEF\xBB\xBF<!DOCTYPE x>" + packet("tiff:Orientation='1'>"),
                                 "<tiff:Orientation" + packet(">").substr(20)}) {
    CAPTURE(bad);
    CHECK(raster_refusal(png_file({.height = 1, .width = 2, .texts = chunk(bad, false)}, {1, 2})) ==
          "f: its XMP speaks of an orientation and cannot be read: it is damaged or written in an "
          "unusual way; export the picture again, upright and without XMP");
  }
  // Compressed, as stb_image and libpng unpack it; damaged; a text of another name.
  CHECK(orientation_of(chunk(stored(packet("tiff:Orientation='6'>")), true)) == 6);
  CHECK(raster_refusal(png_file({.height = 1, .width = 2, .texts = chunk("none", true)}, {1, 2})) ==
        "f: its XMP, in the text 'XML:com.adobe.xmp', is damaged or longer than 1024 KiB; export "
        "the picture again, upright and without XMP");
  CHECK(orientation_of(png_chunk(
            "iTXt", "Comment" + std::string(5, '\0') + packet("tiff:Orientation='6'>"))) == 1);
}

TEST_CASE("raster: an EXIF block that says nothing sound turns nothing", "[raster][exif]") {
  for (const std::string& block :
       {exif_block(0), exif_block(9), std::string(), std::string("II"), exif_block(6).substr(0, 30),
        std::string("MM\0*\xFF\xFF\xFF\xFF", 8), "XX" + exif_block(6).substr(2)})
    CHECK_FALSE(exif_orientation(block).has_value());
  // The first block of two holds.
  const std::string jpeg = jpeg_file(8, 8, 3, std::vector<std::uint8_t>(192));
  CHECK(decode_raster(with_exif(with_exif(jpeg, exif_block(3)), exif_block(8)), "f").orientation ==
        8);
}

TEST_CASE("raster: names", "[raster]") {
  for (const char* name : {"a.png", "a.b.PNG", "x y.tif", "A.TIFF", "a.jpg", "a.Jpeg"})
    CHECK(is_raster_name(name));
  for (const char* name : {"a.npy", "png", "a.png.txt", "a.nii.gz", ""})
    CHECK(!is_raster_name(name));
}
