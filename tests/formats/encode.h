// Image files for tests: PNG, EXIF and NIfTI by hand, TIFF by libtiff, JPEG by libjpeg or, where
// Glia is built without it, stb_image_write.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace glia {

struct PngSpec {
  int height = 0, width = 0, channels = 1;  // 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA
  int bits = 8;                             // 1 to 16
  bool interlaced = false;
  std::vector<std::array<std::uint8_t, 3>> palette = {};  // pixels are places in it
  std::string transparency = {};                          // the chunk tRNS
  std::string exif = {};                                  // the chunk eXIf
  std::string texts = {};                                 // whole chunks, before the pixels
};
/// values [height, width, channels]
std::string png_file(const PngSpec& spec, const std::vector<std::uint16_t>& values);
/// A damaged PNG with the checksums that belong to its chunks, so that the damage gets past them.
std::string with_png_checksums(std::string png);

struct TiffSpec {
  int height = 0, width = 0, channels = 1, bits = 8;
  int format = 1;       // 1 unsigned, 2 signed, 3 floating point
  int compression = 1;  // libtiff's numbers: 1 none, 5 LZW, 7 JPEG, 8 deflate
  int photometric = 1;  // 0 white is 0, 1 black is 0, 2 RGB, 3 palette
  int orientation = 1;  // 0: no tag says it
  std::string xmp = {};
  int pages = 1;
  bool separate = false, tiled = false, big_endian = false, alpha = false;
  std::vector<std::array<std::uint8_t, 3>> palette = {};
};
/// `pixels`: rows of the file as they lie in memory, all of one channel first when `separate`.
std::string tiff_file(const TiffSpec& spec, const std::string& pixels);

/// What `jpeg_file` can write in this build: 1 (grey) and 3 (RGB), or 3 alone.
const std::vector<int>& jpeg_channels();
/// 8-bit grey or RGB.
std::string jpeg_file(int height, int width, int channels, const std::vector<std::uint8_t>& pixels);

/// An EXIF block with the orientation after another field.
std::string exif_block(int orientation, bool big_endian = false);
/// A PNG's chunk of text, tEXt or zTXt, with a profile as ImageMagick writes it; `said` is the
/// length that it claims, if not the profile's own.
std::string profile_chunk(const std::string& keyword, const std::string& profile, bool packed,
                          int said = -1);
/// A JPEG with an EXIF block.
std::string with_exif(const std::string& jpeg, const std::string& block);

struct NiftiSpec {
  std::vector<std::int64_t> dims = {};
  int datatype = 16, bits = 32;  // float32
  float slope = 0, intercept = 0;
  int qform = 0, sform = 0;
  std::array<float, 6> quatern{};           // b, c, d and the offsets
  std::array<float, 4> pixdim{1, 1, 1, 1};  // qfac, then mm along i, j, k
  std::array<std::array<float, 4>, 3> srow{};
  int units = 2;  // mm
  std::int64_t data_offset = 352;
  std::string magic{"n+1\0", 4};
};
/// A NIfTI-1 file, byte by byte as the standard places them. `data` in this machine's byte order.
std::string nifti_file(const NiftiSpec& spec, std::string_view data);
/// The same as NIfTI-2.
std::string nifti2_file(const NiftiSpec& spec, std::string_view data);
/// The same as nifti_file in the other byte order, for values of `item` bytes.
std::string swapped_nifti_file(const NiftiSpec& spec, std::string_view data, std::size_t item);

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace glia
