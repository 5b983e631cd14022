// TIFF through libtiff.
#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>

#include "engine/base/check.h"
#include "engine/formats/raster_formats.h"
#include "engine/formats/to_float32.h"
#include "engine/formats/xmp.h"

namespace glia {

namespace {

struct Source {
  std::string_view bytes;
  std::uint64_t position = 0;
};

tmsize_t read_bytes(thandle_t handle, void* to, tmsize_t count) {
  auto& source = *static_cast<Source*>(handle);
  const std::uint64_t size = source.bytes.size();
  const std::uint64_t left = size - std::min(source.position, size);
  const std::uint64_t taken = std::min<std::uint64_t>(left, count < 0 ? 0 : count);
  if (taken > 0) std::memcpy(to, source.bytes.data() + source.position, taken);
  source.position += taken;
  return static_cast<tmsize_t>(taken);
}

toff_t seek(thandle_t handle, toff_t offset, int whence) {
  auto& source = *static_cast<Source*>(handle);
  if (whence == SEEK_SET) source.position = offset;
  if (whence == SEEK_CUR) source.position += offset;
  if (whence == SEEK_END) source.position = source.bytes.size() + offset;
  return source.position;
}

toff_t size_of_source(thandle_t handle) {
  return static_cast<Source*>(handle)->bytes.size();
}

thread_local std::string last_message;

void keep_message(const char*, const char* format, va_list arguments) {
  char text[300];
  std::vsnprintf(text, sizeof text, format, arguments);
  last_message = text;
}

using Handle = std::unique_ptr<TIFF, decltype(&TIFFClose)>;

Handle open_tiff(Source& source, const std::string& name) {
  // libtiff's handlers are global; every file of this program comes through here.
  [[maybe_unused]] static const bool once = [] {
    TIFFSetErrorHandler(keep_message);
    TIFFSetWarningHandler(nullptr);
    return true;
  }();
  last_message.clear();
  const auto no_write = [](thandle_t, void*, tmsize_t) -> tmsize_t { return 0; };
  const auto no_close = [](thandle_t) { return 0; };
  // "m": memory maps are no use, the bytes are in memory.
  return {TIFFClientOpen(name.c_str(), "rm", &source, read_bytes, no_write, seek, no_close,
                         size_of_source, nullptr, nullptr),
          &TIFFClose};
}

std::uint16_t tag(TIFF* tiff, std::uint32_t which) {
  std::uint16_t value = 0;
  TIFFGetFieldDefaulted(tiff, which, &value);
  return value;
}

struct Layout {
  std::uint32_t height = 0, width = 0;
  std::uint16_t channels = 1, bits = 1, format = SAMPLEFORMAT_UINT, photometric = 0;
  bool separate = false;  // a plane a channel
};

bool is_palette(const Layout& layout) {
  return layout.photometric == PHOTOMETRIC_PALETTE && layout.format == SAMPLEFORMAT_UINT &&
         layout.bits <= 8 && layout.channels == 1;
}

const char* format_name(std::uint16_t format) {
  switch (format) {
    case SAMPLEFORMAT_UINT: return "unsigned";
    case SAMPLEFORMAT_INT: return "signed";
    case SAMPLEFORMAT_IEEEFP: return "floating-point";
    default: return "other";
  }
}

bool is_supported(const Layout& layout) {
  switch (layout.format) {
    case SAMPLEFORMAT_UINT:
      return layout.bits == 8 || layout.bits == 16 || layout.bits == 32 ||
             ((layout.bits == 1 || layout.bits == 2 || layout.bits == 4) && layout.channels == 1);
    case SAMPLEFORMAT_INT: return layout.bits == 8 || layout.bits == 16 || layout.bits == 32;
    case SAMPLEFORMAT_IEEEFP: return layout.bits == 32 || layout.bits == 64;
    default: return false;
  }
}

bool is_lossless(std::uint16_t compression) {
  constexpr std::uint16_t kLossless[] = {
      COMPRESSION_NONE, COMPRESSION_CCITTRLE, COMPRESSION_CCITTFAX3,     COMPRESSION_CCITTFAX4,
      COMPRESSION_LZW,  COMPRESSION_PACKBITS, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_DEFLATE,
      COMPRESSION_LZMA, COMPRESSION_ZSTD};
  return std::find(std::begin(kLossless), std::end(kLossless), compression) != std::end(kLossless);
}

/// A byte of the file becomes no more than this many.
std::uint64_t max_ratio(std::uint16_t compression) {
  switch (compression) {
    case COMPRESSION_NONE: return 1;
    case COMPRESSION_PACKBITS: return 64;  // 128 bytes of two
    case COMPRESSION_ADOBE_DEFLATE:
    case COMPRESSION_DEFLATE: return 1032;
    case COMPRESSION_LZW: return 4096;  // a string as long as the table, of 12 bits
    default: return std::uint64_t{1} << 16;
  }
}

void check_claim(TIFF* tiff, const Layout& layout, std::size_t file_size, const std::string& name) {
  const std::uint64_t row = std::uint64_t{layout.width} * layout.channels * layout.bits / 8;
  check(row * layout.height / max_ratio(tag(tiff, TIFFTAG_COMPRESSION)) <= file_size,
        "{}: claims {} x {} pixels, more than a file of {} bytes can hold; copy it again", name,
        layout.height, layout.width, file_size);
}

/// Where the tag of the orientation is missing, XMP may say that the picture lies on its side.
void check_xmp(TIFF* tiff, const std::string& name) {
  std::uint16_t tagged = 0;
  if (TIFFGetField(tiff, TIFFTAG_ORIENTATION, &tagged) == 1) return;
  std::uint32_t bytes = 0;
  const char* packet = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_XMLPACKET, &bytes, &packet) != 1) return;
  const int orientation = xmp_orientation({packet, bytes}, name).value_or(ORIENTATION_TOPLEFT);
  check(orientation == ORIENTATION_TOPLEFT,
        "{}: a TIFF whose first pixel is not the top left one (orientation {} in XMP); export it "
        "upright",
        name, orientation);
}

Layout read_layout(TIFF* tiff, std::size_t file_size, const std::string& name) {
  Layout layout;
  TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &layout.width);
  TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &layout.height);
  layout.channels = tag(tiff, TIFFTAG_SAMPLESPERPIXEL);
  layout.bits = tag(tiff, TIFFTAG_BITSPERSAMPLE);
  layout.format = tag(tiff, TIFFTAG_SAMPLEFORMAT);
  layout.separate = tag(tiff, TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE;
  check(TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &layout.photometric) == 1,
        "{}: damaged TIFF: it does not say whether black is 0; export the file again", name);
  check_raster_size(layout.height, layout.width, layout.channels, name);
  check(is_supported(layout),
        "{}: a TIFF with {} channels of {} {} bits; expected whole numbers of 8, 16 or 32 bits, or "
        "1, 2 or 4 of one channel, or floating-point ones of 32 or 64: convert it",
        name, layout.channels, layout.bits, format_name(layout.format));
  check_claim(tiff, layout, file_size, name);
  if (layout.photometric == PHOTOMETRIC_YCBCR && tag(tiff, TIFFTAG_COMPRESSION) == COMPRESSION_JPEG)
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  else
    check(
        layout.photometric == PHOTOMETRIC_MINISBLACK ||
            (layout.photometric == PHOTOMETRIC_MINISWHITE && layout.format == SAMPLEFORMAT_UINT) ||
            layout.photometric == PHOTOMETRIC_RGB || is_palette(layout),
        "{}: a TIFF whose pixels are neither grey nor RGB nor places in a palette (photometric "
        "{}); "
        "convert it",
        name, layout.photometric);
  check(tag(tiff, TIFFTAG_ORIENTATION) == ORIENTATION_TOPLEFT,
        "{}: a TIFF whose first pixel is not the top left one (orientation tag {}); export it "
        "upright",
        name, tag(tiff, TIFFTAG_ORIENTATION));
  check_xmp(tiff, name);
  check(TIFFLastDirectory(tiff) != 0,
        "{}: a TIFF of several pages; export each page as a file of its own", name);
  return layout;
}

template <class T>
double value_at(const std::uint8_t* bytes, std::size_t index) {
  T value;
  std::memcpy(&value, bytes + index * sizeof(T), sizeof(T));
  return static_cast<double>(value);
}

double sample_at(const Layout& layout, const std::uint8_t* bytes, std::size_t index) {
  if (layout.bits < 8) {
    const std::size_t bit = index * layout.bits;
    return static_cast<double>(bytes[bit / 8] >> (8 - layout.bits - bit % 8) &
                               ((1 << layout.bits) - 1));
  }
  if (layout.format == SAMPLEFORMAT_IEEEFP)
    return layout.bits == 32 ? value_at<float>(bytes, index) : value_at<double>(bytes, index);
  const bool is_signed = layout.format == SAMPLEFORMAT_INT;
  switch (layout.bits) {
    case 8:
      return is_signed ? value_at<std::int8_t>(bytes, index) : value_at<std::uint8_t>(bytes, index);
    case 16:
      return is_signed ? value_at<std::int16_t>(bytes, index)
                       : value_at<std::uint16_t>(bytes, index);
    default:
      return is_signed ? value_at<std::int32_t>(bytes, index)
                       : value_at<std::uint32_t>(bytes, index);
  }
}

class Pixels {
 public:
  Pixels(TIFF* tiff, const Layout& layout, const std::string& name)
      : tiff_(tiff),
        layout_(layout),
        name_(name),
        together_(layout.separate ? 1 : layout.channels) {}

  std::vector<float> read() {
    values_.resize(std::size_t{layout_.height} * layout_.width * layout_.channels);
    for (std::uint16_t plane = 0; plane < layout_.channels / together_; ++plane)
      TIFFIsTiled(tiff_) != 0 ? read_tiles(plane) : read_rows(plane);
    narrow_.check_range(name_, values_.size());
    return std::move(values_);
  }

 private:
  /// Memory for `width` pixels in each of `rows` rows, once libtiff has agreed on the size.
  std::vector<std::uint8_t> buffer(tmsize_t size, std::uint64_t rows, std::uint64_t width) const {
    const std::uint64_t needed = (width * together_ * layout_.bits + 7) / 8 * rows;
    check(size > 0 && static_cast<std::uint64_t>(size) >= needed && size <= (std::int64_t{1} << 30),
          "{}: damaged TIFF: its rows or tiles have {} bytes, expected {}; export it again", name_,
          size, needed);
    return std::vector<std::uint8_t>(static_cast<std::size_t>(size));
  }

  void need(bool done) const {
    check(done, "{}: damaged TIFF: {}; copy or export the file again", name_, last_message);
  }

  void read_rows(std::uint16_t plane) {
    auto row = buffer(TIFFScanlineSize(tiff_), 1, layout_.width);
    for (std::uint32_t y = 0; y < layout_.height; ++y) {
      need(TIFFReadScanline(tiff_, row.data(), y, plane) == 1);
      store(row.data(), y, 0, layout_.width, plane);
    }
  }

  void read_tiles(std::uint16_t plane) {
    std::uint32_t height = 0, width = 0;
    TIFFGetField(tiff_, TIFFTAG_TILELENGTH, &height);
    TIFFGetField(tiff_, TIFFTAG_TILEWIDTH, &width);
    check(height > 0 && width > 0 && height < 65536 && width < 65536,
          "{}: damaged TIFF: tiles of {} x {} pixels; export it again", name_, height, width);
    auto tile = buffer(TIFFTileSize(tiff_), height, width);
    const std::size_t row = tile.size() / height;
    for (std::uint32_t y = 0; y < layout_.height; y += height)
      for (std::uint32_t x = 0; x < layout_.width; x += width) {
        need(TIFFReadTile(tiff_, tile.data(), x, y, 0, plane) >= 0);
        for (std::uint32_t inner = 0; inner < std::min(height, layout_.height - y); ++inner)
          store(tile.data() + inner * row, y + inner, x, std::min(width, layout_.width - x), plane);
      }
  }

  void store(const std::uint8_t* bytes, std::uint32_t y, std::uint32_t x, std::uint32_t count,
             std::uint16_t plane) {
    float* to = values_.data() + (std::size_t{y} * layout_.width + x) * layout_.channels + plane;
    for (std::uint32_t i = 0; i < count; ++i, to += layout_.channels)
      for (std::uint16_t c = 0; c < together_; ++c)
        to[c] = narrow_(sample_at(layout_, bytes, std::size_t{i} * together_ + c));
  }

  TIFF* tiff_;
  const Layout& layout_;
  const std::string& name_;
  std::uint16_t together_;  // channels of a pixel that lie side by side
  std::vector<float> values_;
  ToFloat32 narrow_;
};

bool has_alpha(TIFF* tiff) {
  std::uint16_t count = 0;
  const std::uint16_t* kinds = nullptr;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds);
  return count > 0 && kinds[count - 1] != EXTRASAMPLE_UNSPECIFIED;
}

/// Places in the palette as RGB. Its colours have 16 bits; some programs write 8.
void look_up_colours(TIFF* tiff, Raster& raster, const std::string& name) {
  std::uint16_t* parts[3] = {};
  check(TIFFGetField(tiff, TIFFTAG_COLORMAP, &parts[0], &parts[1], &parts[2]) == 1,
        "{}: damaged TIFF: a palette is missing; export the file again", name);
  const std::size_t colours = std::size_t{1} << raster.bits;
  std::uint16_t greatest = 0;
  for (const std::uint16_t* part : parts)
    greatest = std::max(greatest, *std::max_element(part, part + colours));
  const int shift = greatest > 255 ? 8 : 0;
  raster.indices = std::move(raster.values);
  raster.values.clear();
  raster.values.reserve(raster.indices.size() * 3);
  for (const float index : raster.indices)
    for (const std::uint16_t* part : parts)
      raster.values.push_back(static_cast<float>(part[static_cast<std::size_t>(index)] >> shift));
  raster.channels = 3;
  raster.bits = 8;
  raster.most = 255;
}

}  // namespace

Raster decode_tiff(std::string_view bytes, const std::string& name) {
  Source source{bytes};
  const Handle tiff = open_tiff(source, name);
  check(tiff != nullptr, "{}: damaged TIFF: {}; copy or export the file again", name, last_message);
  const Layout layout = read_layout(tiff.get(), bytes.size(), name);
  Raster raster;
  raster.height = layout.height;
  raster.width = layout.width;
  raster.channels = layout.channels;
  raster.alpha = has_alpha(tiff.get());
  raster.lossy = !is_lossless(tag(tiff.get(), TIFFTAG_COMPRESSION));
  raster.bits = layout.format == SAMPLEFORMAT_IEEEFP ? 0 : layout.bits;
  const int value_bits = layout.bits - (layout.format == SAMPLEFORMAT_INT ? 1 : 0);
  raster.most = raster.bits > 0 ? static_cast<float>((std::uint64_t{1} << value_bits) - 1) : 1.0F;
  raster.white_is_zero = layout.photometric == PHOTOMETRIC_MINISWHITE;
  raster.kind = fmt::format(
      "{}-bit{} {} TIFF", layout.bits,
      layout.format == SAMPLEFORMAT_UINT ? "" : std::string(" ") + format_name(layout.format),
      is_palette(layout) ? "palette" : fmt::format("{}-channel", layout.channels));
  if (raster.white_is_zero) raster.kind += ", white is 0";
  raster.values = Pixels(tiff.get(), layout, name).read();
  if (raster.white_is_zero)
    for (float& value : raster.values) value = raster.most - value;
  if (is_palette(layout)) look_up_colours(tiff.get(), raster, name);
  return raster;
}

}  // namespace glia
