#include <tiffio.h>

#include <algorithm>
#include <stdexcept>

#include "engine/base/file.h"
#include "tests/formats/encode.h"
#include "tests/temp_folder.h"

namespace glia {

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
  if (spec.orientation != 0) set_tag(tiff, TIFFTAG_ORIENTATION, spec.orientation);
  if (!spec.xmp.empty())
    TIFFSetField(tiff, TIFFTAG_XMLPACKET, static_cast<std::uint32_t>(spec.xmp.size()),
                 spec.xmp.data());
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
    std::vector<std::uint16_t> parts[3];
    for (std::size_t i = 0; i < std::size_t{1} << spec.bits; ++i)
      for (std::size_t part = 0; part < 3; ++part)
        parts[part].push_back(i < spec.palette.size()
                                  ? static_cast<std::uint16_t>(257 * spec.palette[i][part])
                                  : std::uint16_t{0});
    TIFFSetField(tiff, TIFFTAG_COLORMAP, parts[0].data(), parts[1].data(), parts[2].data());
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

}  // namespace glia
