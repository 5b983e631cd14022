#include <fmt/format.h>

#include <cstdlib>
#include <iterator>

#include "engine/formats/png_header.h"
#include "tests/formats/encode.h"

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb_image_write.h>

namespace glia {

namespace {

using Values = std::vector<std::uint16_t>;

std::string number(std::size_t value, int bytes, bool big_endian = true) {
  std::string text;
  for (int i = 0; i < bytes; ++i)
    text += static_cast<char>(value >> (8 * (big_endian ? bytes - 1 - i : i)) & 255);
  return text;
}

/// A row as PNG has it: its filter (none), then samples from the high bits down.
std::string pack_row(const Values& samples, int bits) {
  std::string row(1, '\0');
  int free = 0;
  for (const std::uint16_t sample : samples) {
    if (bits == 16) {
      row += number(sample, 2);
      continue;
    }
    if (free == 0) {
      row += '\0';
      free = 8;
    }
    free -= bits;
    row.back() = static_cast<char>(row.back() | sample << free);
  }
  return row;
}

/// A grid of pixels that is written as if it were a picture.
struct Pass {
  int top, left, row_step, column_step;
};

std::string rows_of(const PngSpec& spec, const Values& values, const Pass& pass) {
  std::string rows;
  for (int y = pass.top; y < spec.height; y += pass.row_step) {
    Values samples;
    for (int x = pass.left; x < spec.width; x += pass.column_step)
      for (int c = 0; c < spec.channels; ++c)
        samples.push_back(
            values.at(static_cast<std::size_t>((y * spec.width + x) * spec.channels + c)));
    if (!samples.empty()) rows += pack_row(samples, spec.bits);
  }
  return rows;
}

std::string pixels_of(const PngSpec& spec, const Values& values) {
  if (!spec.interlaced) return rows_of(spec, values, {0, 0, 1, 1});
  constexpr Pass kAdam7[] = {{0, 0, 8, 8}, {0, 4, 8, 8}, {4, 0, 8, 4}, {0, 2, 4, 4},
                             {2, 0, 4, 2}, {0, 1, 2, 2}, {1, 0, 2, 1}};
  std::string rows;
  for (const Pass& pass : kAdam7) rows += rows_of(spec, values, pass);
  return rows;
}

std::string compress(std::string bytes) {
  int size = 0;
  unsigned char* packed = stbi_zlib_compress(reinterpret_cast<unsigned char*>(bytes.data()),
                                             static_cast<int>(bytes.size()), &size, 8);
  std::string result(reinterpret_cast<char*>(packed), static_cast<std::size_t>(size));
  std::free(packed);
  return result;
}

}  // namespace

std::string png_file(const PngSpec& spec, const Values& values) {
  constexpr int kKinds[] = {0, 4, 2, 6};  // by the number of channels
  const int kind = spec.palette.empty() ? kKinds[spec.channels - 1] : 3;
  std::string palette;
  for (const auto& [red, green, blue] : spec.palette)
    palette += {static_cast<char>(red), static_cast<char>(green), static_cast<char>(blue)};
  std::string file(kPngSignature);
  file += png_chunk("IHDR", number(static_cast<std::size_t>(spec.width), 4) +
                                number(static_cast<std::size_t>(spec.height), 4) +
                                number(static_cast<std::size_t>(spec.bits), 1) +
                                number(static_cast<std::size_t>(kind), 1) + number(0, 2) +
                                number(spec.interlaced ? 1 : 0, 1));
  if (!palette.empty()) file += png_chunk("PLTE", palette);
  if (!spec.transparency.empty()) file += png_chunk("tRNS", spec.transparency);
  file += spec.texts;
  file += png_chunk("IDAT", compress(pixels_of(spec, values)));
  if (!spec.exif.empty()) file += png_chunk("eXIf", spec.exif);  // may stand after the pixels
  return file + png_chunk("IEND", "");
}

std::string with_png_checksums(std::string png) {
  std::size_t at = kPngSignature.size();
  while (at + 12 <= png.size()) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i)
      length = length << 8 | static_cast<unsigned char>(png[at + i]);
    if (length > png.size() - at - 12) break;
    const std::string chunk = png_chunk(png.substr(at + 4, 4), png.substr(at + 8, length));
    png.replace(at, chunk.size(), chunk);
    at += chunk.size();
  }
  return png;
}

std::string exif_block(int orientation, bool big_endian) {
  const auto put = [&](std::size_t value, int bytes) { return number(value, bytes, big_endian); };
  std::string block = big_endian ? "MM" : "II";
  block += put(42, 2) + put(8, 4) + put(2, 2);
  block += put(0x0100, 2) + put(4, 2) + put(1, 4) + put(6, 4);  // the width, which nobody reads
  block += put(0x0112, 2) + put(3, 2) + put(1, 4);
  block += put(static_cast<std::size_t>(orientation), 2) + put(0, 2);
  return block + put(0, 4);
}

std::string profile_chunk(const std::string& keyword, const std::string& profile, bool packed,
                          int said) {
  constexpr std::size_t kBytesALine = 36;
  std::string text = fmt::format("\nexif\n{:8}\n", said < 0 ? std::ssize(profile) : said);
  for (std::size_t i = 0; i < profile.size(); ++i) {
    text += fmt::format("{:02x}", static_cast<unsigned char>(profile[i]));
    if ((i + 1) % kBytesALine == 0) text += '\n';
  }
  text += '\n';
  const std::string start = keyword + std::string(1, '\0');
  return packed ? png_chunk("zTXt", start + std::string(1, '\0') + compress(text))
                : png_chunk("tEXt", start + text);
}

std::string with_exif(const std::string& jpeg, const std::string& block) {
  const std::string segment = std::string("Exif\0\0", 6) + block;
  return jpeg.substr(0, 2) + "\xFF\xE1" + number(segment.size() + 2, 2) + segment + jpeg.substr(2);
}

}  // namespace glia
