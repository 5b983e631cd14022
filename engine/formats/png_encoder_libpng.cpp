// PNG files through libpng.
#include <png.h>

#include <new>

#include "engine/base/check.h"
#include "engine/formats/png_encoder.h"

namespace glia {

namespace {

// Pictures here are looked at once or twice: time to write counts, a few kilobytes do not.
constexpr int kLevel = 1;

/// What libpng's callbacks need. Errors leave them by longjmp, so that `write_rows` holds nothing
/// that has a destructor.
struct PngWriter {
  std::string bytes, message;
  png_structp png = nullptr;
  png_infop info = nullptr;

  PngWriter() = default;
  ~PngWriter() { png_destroy_write_struct(&png, &info); }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;
};

void keep_message(png_structp png, png_const_charp text) {
  static_cast<PngWriter*>(png_get_error_ptr(png))->message = text;
  png_longjmp(png, 1);
}

void ignore_warning(png_structp, png_const_charp) {}

void append_bytes(png_structp png, png_bytep data, png_size_t count) {
  auto& writer = *static_cast<PngWriter*>(png_get_io_ptr(png));
  writer.bytes.append(reinterpret_cast<const char*>(data), count);
}

void flush_nothing(png_structp) {}

bool write_rows(PngWriter& writer, std::int64_t height, std::int64_t width, std::int64_t channels,
                const std::uint8_t* pixels) {
  if (setjmp(png_jmpbuf(writer.png))) return false;
  png_set_IHDR(writer.png, writer.info, static_cast<png_uint_32>(width),
               static_cast<png_uint_32>(height), 8,
               channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(writer.png, writer.info);
  for (std::int64_t y = 0; y < height; ++y)
    png_write_row(writer.png, pixels + y * width * channels);
  png_write_end(writer.png, nullptr);
  return true;
}

}  // namespace

std::string encode_png(std::int64_t height, std::int64_t width, std::int64_t channels,
                       std::span<const std::uint8_t> pixels) {
  check(height > 0 && width > 0 && (channels == 1 || channels == 3) &&
            std::ssize(pixels) == height * width * channels,
        "picture: {} pixel bytes do not make a picture of {} x {} with {} channels", pixels.size(),
        width, height, channels);
  PngWriter writer;
  writer.png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, keep_message, ignore_warning);
  if (writer.png != nullptr) writer.info = png_create_info_struct(writer.png);
  if (writer.info == nullptr) throw std::bad_alloc();
  png_set_write_fn(writer.png, &writer, append_bytes, flush_nothing);
  png_set_compression_level(writer.png, kLevel);
  // Most rows of an enlarged slice are the row above once more.
  png_set_filter(writer.png, PNG_FILTER_TYPE_BASE, PNG_FILTER_UP);
  if (!write_rows(writer, height, width, channels, pixels.data())) {
    // libpng's and zlib's words for it, with either capital.
    if (writer.message.find("emory") != std::string::npos) throw std::bad_alloc();
    fail("picture: {} x {}: {}", width, height, writer.message);
  }
  return std::move(writer.bytes);
}

}  // namespace glia
