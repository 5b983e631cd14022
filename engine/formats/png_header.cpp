#include "engine/formats/png_header.h"

#include <algorithm>
#include <optional>

#include "engine/base/check.h"
#include "engine/formats/exif.h"
#include "engine/formats/png_exif.h"
#include "engine/formats/xmp.h"
#include "engine/formats/raster_formats.h"

namespace glia {

namespace {

constexpr std::size_t kAround = 12;               // length, type and checksum of a chunk
constexpr std::uint64_t kMaxDeflateRatio = 1032;  // of the compression inside PNG

std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

/// CRC-32 with the polynomial of PNG's annex D.
std::uint32_t checksum(std::string_view bytes) {
  static constexpr auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t n = 0; n < 256; ++n) {
      table[n] = n;
      for (int bit = 0; bit < 8; ++bit)
        table[n] = (table[n] & 1) != 0 ? 0xEDB88320U ^ table[n] >> 1 : table[n] >> 1;
    }
    return table;
  }();
  std::uint32_t sum = ~0U;
  for (const char c : bytes) sum = kTable[(sum ^ static_cast<unsigned char>(c)) & 255] ^ sum >> 8;
  return ~sum;
}

bool is_known_critical(std::string_view type) {
  return type == "IHDR" || type == "PLTE" || type == "IDAT" || type == "IEND";
}

/// Which depths go with which kind of pixel; see table 11.1 of the standard.
bool is_depth(PngHeader::Kind kind, int depth) {
  using Kind = PngHeader::Kind;
  switch (kind) {
    case Kind::grey: return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
    case Kind::palette: return depth == 1 || depth == 2 || depth == 4 || depth == 8;
    case Kind::rgb:
    case Kind::grey_alpha:
    case Kind::rgba: return depth == 8 || depth == 16;
  }
  return false;
}

void read_first_chunk(PngHeader& header, const PngChunk& chunk, const std::string& name) {
  const auto field = [&](std::size_t i) { return static_cast<unsigned char>(chunk.data[i]); };
  check(chunk.type == "IHDR" && chunk.data.size() == 13,
        "{}: damaged PNG: no header; copy or export the file again", name);
  header.width = big_endian(chunk.data, 0);
  header.height = big_endian(chunk.data, 4);
  header.depth = field(8);
  header.kind = static_cast<PngHeader::Kind>(field(9));
  check(is_depth(header.kind, header.depth) && field(10) == 0 && field(11) == 0 && field(12) <= 1,
        "{}: damaged PNG: {} bits of the kind {}, methods {}, {} and {}; copy or export the file "
        "again",
        name, header.depth, field(9), field(10), field(11), field(12));
}

}  // namespace

std::vector<PngChunk> png_chunks(std::string_view bytes, const std::string& name) {
  const auto need = [&](bool whole, std::string_view what) {
    check(whole, "{}: damaged PNG: {}; copy or export the file again", name, what);
  };
  need(bytes.starts_with(kPngSignature), "its first bytes are changed");
  bytes.remove_prefix(kPngSignature.size());
  std::vector<PngChunk> chunks;
  do {
    need(bytes.size() >= kAround, "the file ends too early");
    const std::size_t length = big_endian(bytes, 0);
    need(length <= bytes.size() - kAround, "the file ends too early");
    chunks.push_back({bytes.substr(4, 4), bytes.substr(8, length)});
    need(checksum(bytes.substr(4, 4 + length)) == big_endian(bytes, 8 + length),
         "a checksum is wrong");
    bytes.remove_prefix(kAround + length);
  } while (chunks.back().type != "IEND");
  return chunks;
}

std::string png_chunk(std::string_view type, std::string_view data) {
  const auto number = [](std::uint32_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 255);
    return text;
  };
  const std::string body = std::string(type) + std::string(data);
  return number(static_cast<std::uint32_t>(data.size())) + body + number(checksum(body));
}

PngHeader parse_png_header(std::string_view bytes, const std::string& name) {
  const std::vector<PngChunk> chunks = png_chunks(bytes, name);
  PngHeader header;
  read_first_chunk(header, chunks.front(), name);
  bool pixels = false, has_exif = false;
  std::optional<std::string> text_exif, xmp;
  std::optional<int> orientation;
  for (const PngChunk& chunk : chunks) {
    const auto& [type, data] = chunk;
    const bool critical = (static_cast<unsigned char>(type[0]) & 0x20) == 0;
    check(!critical || is_known_critical(type),
          "{}: a PNG with a chunk {} that Glia does not know; export it as a plain PNG", name,
          type);
    check(type != "acTL", "{}: an animated PNG; export each picture as a file of its own", name);
    pixels = pixels || type == "IDAT";
    if (type == "PLTE")
      for (std::size_t i = 0; i + 3 <= data.size(); i += 3)
        header.palette.push_back({static_cast<std::uint8_t>(data[i]),
                                  static_cast<std::uint8_t>(data[i + 1]),
                                  static_cast<std::uint8_t>(data[i + 2])});
    if (type == "tRNS") header.transparency = data;
    if (type == "eXIf") orientation = exif_orientation(data);
    has_exif = has_exif || type == "eXIf";
    if (!text_exif) text_exif = exif_in_text(chunk, name);
    if (!xmp) xmp = xmp_in_text(chunk, name);
  }
  if (text_exif && !has_exif) orientation = exif_orientation(*text_exif);
  if (xmp && !orientation) orientation = xmp_orientation(*xmp, name);
  header.orientation = orientation.value_or(1);
  check(pixels, "{}: damaged PNG: it has no pixels; copy or export the file again", name);
  const bool alpha = !header.transparency.empty();
  const std::int64_t channels = header.kind == PngHeader::Kind::palette ? 3 : header.samples();
  check_raster_size(header.height, header.width, channels + (alpha && channels % 2 == 1 ? 1 : 0),
                    name);
  check(header.packed_row() * static_cast<std::uint64_t>(header.height) / kMaxDeflateRatio <=
            bytes.size(),
        "{}: claims {} x {} pixels, more than a file of {} bytes can hold; copy it again", name,
        header.height, header.width, bytes.size());
  return header;
}

}  // namespace glia
