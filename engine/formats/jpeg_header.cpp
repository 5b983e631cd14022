#include "engine/formats/jpeg_header.h"

#include <algorithm>
#include <array>

#include "engine/base/check.h"
#include "engine/formats/exif.h"
#include "engine/formats/xmp.h"
#include "engine/formats/raster_formats.h"

namespace glia {

namespace {

constexpr unsigned kProgressive = 0xC2, kHuffman = 0xC4, kEnd = 0xD9, kScan = 0xDA, kApp1 = 0xE1;
constexpr std::string_view kExif{"Exif\0\0", 6}, kXmp{"http://ns.adobe.com/xap/1.0/\0", 29};
// A flat block of 64 pixels takes a bit or more in a scan of Huffman codes, and a file has three
// components of a quarter of the pixels at best.
constexpr std::int64_t kMaxPixelsPerByte = 1024;

class Markers {
 public:
  Markers(std::string_view bytes, const std::string& name) : rest_(bytes), name_(name) {}

  /// The next marker; what follows it is `segment()`, unless it has none.
  unsigned next() {
    const std::size_t at = rest_.find('\xFF');
    need(at != std::string_view::npos);
    rest_.remove_prefix(std::min(rest_.find_first_not_of('\xFF', at), rest_.size()));
    need(!rest_.empty());
    const auto marker = static_cast<unsigned char>(rest_[0]);
    rest_.remove_prefix(1);
    return marker;
  }

  std::string_view segment() {
    need(rest_.size() >= 2);
    const std::size_t length = number(0);
    need(length >= 2 && length <= rest_.size());
    const std::string_view content = rest_.substr(2, length - 2);
    rest_.remove_prefix(length);
    return content;
  }

  void need(bool whole) const {
    check(whole, "{}: damaged or unusual JPEG: it ends too early; export the file again", name_);
  }

 private:
  std::size_t number(std::size_t at) const {
    return std::size_t{static_cast<unsigned char>(rest_[at])} << 8 |
           static_cast<unsigned char>(rest_[at + 1]);
  }

  std::string_view rest_;
  const std::string& name_;
};

std::size_t byte_at(std::string_view segment, std::size_t i) {
  return static_cast<unsigned char>(segment[i]);
}

/// Which tables of Huffman codes a file has defined so far. Decoders believe that codes fit into 16
/// bits, that there are 256 values at most, and that a scan uses no table that was never defined.
class HuffmanTables {
 public:
  /// Of a segment DHT: each a class and number, 16 counts of codes by their length, and the values.
  bool define(std::string_view segment) {
    constexpr std::size_t kCounts = 16, kMostValues = 256;
    while (!segment.empty()) {
      const std::size_t kind = byte_at(segment, 0) / 16, number = byte_at(segment, 0) % 16;
      if (segment.size() < 1 + kCounts || kind > 1 || number > 3) return false;
      std::size_t values = 0, codes = 0;
      for (std::size_t length = 1; length <= kCounts; ++length) {
        values += byte_at(segment, length);
        codes += byte_at(segment, length) << (kCounts - length);
      }
      if (values > kMostValues || codes > std::size_t{1} << kCounts) return false;
      if (segment.size() < 1 + kCounts + values) return false;
      defined_[kind][number] = true;
      segment.remove_prefix(1 + kCounts + values);
    }
    return true;
  }

  /// Whether those that a segment SOS names are there. A scan of a progressive file needs those of
  /// its first coefficient or of the others, any other file both.
  bool serve(std::string_view segment, bool progressive) const {
    const std::size_t components = segment.empty() ? 0 : byte_at(segment, 0);
    if (components < 1 || components > 4 || segment.size() != 4 + 2 * components) return false;
    const bool first = byte_at(segment, 1 + 2 * components) == 0;
    for (std::size_t c = 0; c < components; ++c) {
      const std::size_t numbers = byte_at(segment, 2 + 2 * c);
      if (numbers / 16 > 3 || numbers % 16 > 3) return false;
      if ((!progressive || first) && !defined_[0][numbers / 16]) return false;
      if ((!progressive || !first) && !defined_[1][numbers % 16]) return false;
    }
    return true;
  }

 private:
  std::array<std::array<bool, 4>, 2> defined_{};  // of first coefficients, and of the others
};

/// Start of a frame, of any method (SOF0 to SOF15).
bool starts_frame(unsigned marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/// Markers without a segment: restarts, and a byte of the pixels that looks like one.
bool stands_alone(unsigned marker) {
  return marker <= 0x01 || (marker >= 0xD0 && marker <= 0xD8);
}

}  // namespace

JpegHeader parse_jpeg_header(std::string_view bytes, const std::string& name) {
  JpegHeader header;
  Markers markers(bytes, name);
  HuffmanTables tables;
  unsigned frame = 0;  // the marker of its method
  bool has_exif = false;
  std::optional<int> exif, xmp;
  for (unsigned marker = markers.next(); marker != kEnd; marker = markers.next()) {
    if (stands_alone(marker)) continue;
    const std::string_view segment = markers.segment();
    if (marker == kApp1 && segment.starts_with(kExif) && !has_exif) {
      exif = exif_orientation(segment.substr(kExif.size()));
      has_exif = true;
    }
    if (marker == kApp1 && segment.starts_with(kXmp) && !xmp)
      xmp = xmp_orientation(segment.substr(kXmp.size()), name);
    const bool huffman_coded = frame >= 0xC0 && frame <= 0xC2;
    check((marker != kHuffman || tables.define(segment)) &&
              (marker != kScan || !huffman_coded || tables.serve(segment, frame == kProgressive)),
          "{}: damaged or unusual JPEG: Huffman codes that are none; export the file again", name);
    if (!starts_frame(marker)) continue;
    markers.need(segment.size() >= 6);
    frame = marker;
    const auto byte = [&](std::size_t i) { return static_cast<std::int64_t>(byte_at(segment, i)); };
    header.height = byte(1) << 8 | byte(2);
    header.width = byte(3) << 8 | byte(4);
    header.components = byte(5);
  }
  header.orientation = exif ? *exif : xmp.value_or(1);
  check(header.components == 1 || header.components == 3,
        "{}: a JPEG with {} colour components; convert it to grey or RGB", name, header.components);
  check_raster_size(header.height, header.width, header.components, name);
  check(header.height * header.width / kMaxPixelsPerByte <= std::ssize(bytes),
        "{}: claims {} x {} pixels, more than a file of {} bytes can hold; copy it again", name,
        header.height, header.width, bytes.size());
  return header;
}

}  // namespace glia
