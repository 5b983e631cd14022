#include "tests/formats/encode.h"

#include <png.h>
#include <tiffio.h>

#include <cstdio>
// jpeglib.h needs the one above.
#include <jpeglib.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "engine/base/file.h"
#include "tests/temp_folder.h"

namespace glia {

namespace {

int colour_of(const PngSpec& spec) {
  if (!spec.palette.empty()) return PNG_COLOR_TYPE_PALETTE;
  constexpr std::array kTypes{PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                              PNG_COLOR_TYPE_RGB_ALPHA};
  return kTypes.at(static_cast<std::size_t>(spec.channels - 1));
}

void append_bytes(png_structp png, png_bytep data, png_size_t size) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(data), size);
}

/// The rows as PNG has them: big-endian samples, small ones packed from the high bits down.
std::vector<std::vector<png_byte>> png_rows(const PngSpec& spec,
                                            const std::vector<std::uint16_t>& values) {
  const auto samples = static_cast<std::size_t>(spec.width * spec.channels);
  std::vector<std::vector<png_byte>> rows;
  for (std::size_t y = 0; y < static_cast<std::size_t>(spec.height); ++y) {
    std::vector<png_byte> row((samples * static_cast<std::size_t>(spec.bits) + 7) / 8);
    for (std::size_t i = 0; i < samples; ++i) {
      const unsigned value = values.at(y * samples + i);
      if (spec.bits == 16) {
        row[2 * i] = static_cast<png_byte>(value >> 8);
        row[2 * i + 1] = static_cast<png_byte>(value & 255);
      } else {
        const std::size_t bit = i * static_cast<std::size_t>(spec.bits);
        row[bit / 8] = static_cast<png_byte>(
            row[bit / 8] | value << (8 - static_cast<std::size_t>(spec.bits) - bit % 8));
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

std::string png_file(const PngSpec& spec, const std::vector<std::uint16_t>& values) {
  std::string file;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &file, append_bytes, nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(spec.width),
               static_cast<png_uint_32>(spec.height), spec.bits, colour_of(spec),
               spec.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  std::vector<png_color> palette;
  for (const auto& [red, green, blue] : spec.palette) palette.push_back({red, green, blue});
  if (!palette.empty()) png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  std::vector<std::vector<png_byte>> rows = png_rows(spec, values);
  std::vector<png_bytep> pointers;
  for (auto& row : rows) pointers.push_back(row.data());
  png_write_info(png, info);
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return file;
}

namespace {

template <class Value>
void set_tag(TIFF* tiff, std::uint32_t tag, Value value) {
  if (TIFFSetField(tiff, tag, value) != 1) throw std::logic_error("the test's TIFF tag is refused");
}

void write_tags(TIFF* tiff, const TiffSpec& spec) {
  set_tag(tiff, TIFFTAG_IMAGEWIDTH, spec.width);
  set_tag(tiff, TIFFTAG_IMAGELENGTH, spec.height);
  set_tag(tiff, TIFFTAG_SAMPLESPERPIXEL, spec.channels);
  set_tag(tiff, TIFFTAG_BITSPERSAMPLE, spec.bits);
  set_tag(tiff, TIFFTAG_SAMPLEFORMAT, spec.format);
  set_tag(tiff, TIFFTAG_COMPRESSION, spec.compression);
  set_tag(tiff, TIFFTAG_PHOTOMETRIC, spec.photometric);
  set_tag(tiff, TIFFTAG_ORIENTATION, spec.orientation);
  set_tag(tiff, TIFFTAG_PLANARCONFIG, spec.separate ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
  if (spec.tiled) {
    set_tag(tiff, TIFFTAG_TILEWIDTH, 16);
    set_tag(tiff, TIFFTAG_TILELENGTH, 16);
  } else {
    set_tag(tiff, TIFFTAG_ROWSPERSTRIP, spec.compression == COMPRESSION_JPEG ? 8 : 3);
  }
  if (spec.alpha) {
    const std::uint16_t kind = EXTRASAMPLE_UNASSALPHA;
    TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &kind);
  }
  if (spec.photometric == 3) {
    std::vector<std::uint16_t> map(std::size_t{1} << spec.bits);
    TIFFSetField(tiff, TIFFTAG_COLORMAP, map.data(), map.data(), map.data());
  }
}

void write_rows(TIFF* tiff, const TiffSpec& spec, std::string pixels) {
  const auto row = static_cast<std::size_t>(TIFFScanlineSize(tiff));
  std::size_t at = 0;
  for (int plane = 0; plane < (spec.separate ? spec.channels : 1); ++plane)
    for (int y = 0; y < spec.height; ++y, at += row)
      TIFFWriteScanline(tiff, pixels.data() + at, static_cast<std::uint32_t>(y),
                        static_cast<std::uint16_t>(plane));
}

/// Whole bytes a pixel only.
void write_tiles(TIFF* tiff, const TiffSpec& spec, const std::string& pixels) {
  const auto pixel = static_cast<std::size_t>(spec.channels * spec.bits / 8);
  const auto width = static_cast<std::size_t>(spec.width);
  const auto height = static_cast<std::size_t>(spec.height);
  for (std::size_t top = 0; top < height; top += 16)
    for (std::size_t left = 0; left < width; left += 16) {
      std::string tile(16 * 16 * pixel, '\0');
      for (std::size_t y = 0; y < 16 && top + y < height; ++y)
        pixels.copy(tile.data() + y * 16 * pixel, std::min<std::size_t>(16, width - left) * pixel,
                    ((top + y) * width + left) * pixel);
      TIFFWriteTile(tiff, tile.data(), static_cast<std::uint32_t>(left),
                    static_cast<std::uint32_t>(top), 0, 0);
    }
}

}  // namespace

std::string tiff_file(const TiffSpec& spec, const std::string& pixels) {
  const TempFolder folder;
  const auto path = folder.path() / "file.tif";
  TIFF* tiff = TIFFOpen(path.c_str(), spec.big_endian ? "wb" : "wl");
  for (int page = 0; page < spec.pages; ++page) {
    write_tags(tiff, spec);
    if (spec.tiled)
      write_tiles(tiff, spec, pixels);
    else
      write_rows(tiff, spec, pixels);
    TIFFWriteDirectory(tiff);
  }
  TIFFClose(tiff);
  return read_file(path);
}

std::string jpeg_file(int height, int width, int channels,
                      const std::vector<std::uint8_t>& pixels) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &memory, &size);
  jpeg.image_width = static_cast<JDIMENSION>(width);
  jpeg.image_height = static_cast<JDIMENSION>(height);
  jpeg.input_components = channels;
  jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 95, TRUE);
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    auto* row = const_cast<JSAMPLE*>(pixels.data()) +
                jpeg.next_scanline * static_cast<std::size_t>(width * channels);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  std::string file(reinterpret_cast<const char*>(memory), size);
  std::free(memory);
  return file;
}

}  // namespace glia
