// Pictures as they lie in files: PNG, TIFF and JPEG. Pixel values stay as stored: no gamma, no
// scaling to 0 to 1, 16 bits stay 16 bits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace glia {

struct Raster {
  std::int64_t height = 0, width = 0, channels = 0;
  bool alpha = false;         // the last channel is the opacity
  bool lossy = false;         // compressed in a way that changes pixels
  std::string kind;           // "8-bit RGB PNG"
  float most = 0;             // the value of white, or of an opaque pixel
  std::vector<float> values;  // [height, width, channels]
};

/// Whether the name ends in .png, .tif, .tiff, .jpg or .jpeg, in any case of letters.
bool is_raster_name(const std::filesystem::path& path);

/// Decodes a whole file; the content says which format it is, not the name. PNG of every depth,
/// palettes as RGB; TIFF of one page with 1, 8, 16 or 32 bits, integers or floating point, strips
/// or tiles; JPEG of 8 bits, grey or RGB. Throws `Error`, led by `name`, on anything else and on
/// damage: a wrong checksum, missing data, sizes that the file cannot hold.
Raster decode_raster(std::string_view bytes, const std::string& name);

/// The same of a file on disk.
Raster read_raster(const std::filesystem::path& path);

}  // namespace glia
