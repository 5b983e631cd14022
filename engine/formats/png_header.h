// What a PNG says before its pixels (https://www.w3.org/TR/png-3), read by hand so that every build
// treats palettes, transparent colours and EXIF alike.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace glia {

using Colour = std::array<std::uint8_t, 3>;

struct PngHeader {
  enum class Kind : std::uint8_t { grey = 0, rgb = 2, palette = 3, grey_alpha = 4, rgba = 6 };

  std::int64_t height = 0, width = 0;
  int depth = 8;  // bits a sample
  Kind kind = Kind::grey;
  std::vector<Colour> palette;
  std::string_view transparency;  // the chunk tRNS
  int orientation = 1;            // of EXIF, in its own chunk or else in a text, or else of XMP

  std::int64_t samples() const {  // a pixel
    constexpr std::int64_t kSamples[] = {1, 0, 3, 1, 2, 0, 4};
    return kSamples[static_cast<int>(kind)];
  }
  std::uint64_t packed_row() const {  // bytes
    return static_cast<std::uint64_t>(width * samples() * depth + 7) / 8;
  }
};

/// A chunk: four letters and what they are about.
struct PngChunk {
  std::string_view type, data;
};

/// All of them up to the last, IEND. Throws `Error`, led by `name`, where a chunk is cut off or its
/// checksum is wrong.
std::vector<PngChunk> png_chunks(std::string_view bytes, const std::string& name);
/// The bytes of a chunk in a file.
std::string png_chunk(std::string_view type, std::string_view data);
inline constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1A\n";

/// Throws `Error`, led by `name`, on damage, on chunks that must be understood and are not, on
/// animations, and on a size that a file of so many bytes cannot hold.
PngHeader parse_png_header(std::string_view bytes, const std::string& name);

}  // namespace glia
