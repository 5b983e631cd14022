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
  bool alpha = false;          // the last channel is the opacity
  bool lossy = false;          // compressed in a way that changes pixels
  bool white_is_zero = false;  // the file says so; the values have been turned round
  int bits = 0;                // of whole numbers; 0 for floating-point ones
  int orientation = 1;         // of EXIF or XMP, 1 to 8; pixels are as stored until `turn_upright`
  float most = 0;              // the value of white, or of an opaque pixel
  std::string kind;            // "8-bit RGB PNG"
  std::vector<float> values;   // [height, width, channels]
  std::vector<float> indices = {};  // [height, width], places in the palette; empty without one
};

/// Whether the name ends in .png, .tif, .tiff, .jpg or .jpeg, in any case of letters.
bool is_raster_name(const std::filesystem::path& path);

/// Decodes a whole file; the content says which format it is, not the name. PNG of every depth;
/// TIFF of one page with 1 to 32 bits, integers or floating point, strips or tiles; JPEG of 8 bits,
/// grey or RGB. Palettes as RGB, and as places in the palette. Throws `Error`, led by `name`, on
/// anything else and on damage: a wrong checksum, missing data, sizes that the file cannot hold.
Raster decode_raster(std::string_view bytes, const std::string& name);

/// The same of a file on disk.
Raster read_raster(const std::filesystem::path& path);

}  // namespace glia
