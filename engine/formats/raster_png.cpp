// PNG through libpng, which checks every chunk's checksum.
#include <png.h>

#include <bit>
#include <cstring>

#include "engine/base/check.h"
#include "engine/formats/raster_formats.h"

namespace glia {

namespace {

constexpr std::size_t kMaxDeflateRatio = 1032;  // of the compression inside PNG

/// What libpng's callbacks need. Errors leave them by longjmp, so that functions which call setjmp
/// hold nothing that has a destructor.
struct PngReader {
  std::string_view bytes;
  std::size_t position = 0;
  std::string message;
  png_structp png = nullptr;
  png_infop info = nullptr;

  explicit PngReader(std::string_view content) : bytes(content) {}
  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
};

void on_error(png_structp png, png_const_charp text) {
  static_cast<PngReader*>(png_get_error_ptr(png))->message = text;
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep to, png_size_t count) {
  auto& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
  if (count > reader.bytes.size() - reader.position) png_error(png, "the file ends too early");
  std::memcpy(to, reader.bytes.data() + reader.position, count);
  reader.position += count;
}

bool read_png_header(PngReader& reader) {
  if (setjmp(png_jmpbuf(reader.png))) return false;
  png_read_info(reader.png, reader.info);
  if (png_get_color_type(reader.png, reader.info) == PNG_COLOR_TYPE_PALETTE)
    png_set_palette_to_rgb(reader.png);
  png_set_packing(reader.png);  // a byte a pixel, without scaling: labels stay what they are
  if (std::endian::native == std::endian::little) png_set_swap(reader.png);
  png_set_interlace_handling(reader.png);
  return true;
}

/// After the size was checked: what comes out of a row depends on the transformations above.
bool start_png_rows(PngReader& reader) {
  if (setjmp(png_jmpbuf(reader.png))) return false;
  png_read_update_info(reader.png, reader.info);
  return true;
}

bool read_png_rows(PngReader& reader, png_bytepp rows) {
  if (setjmp(png_jmpbuf(reader.png))) return false;
  png_read_image(reader.png, rows);
  png_read_end(reader.png, nullptr);
  return true;
}

const char* colour_name(int colour) {
  switch (colour) {
    case PNG_COLOR_TYPE_GRAY: return "grey";
    case PNG_COLOR_TYPE_GRAY_ALPHA: return "grey and alpha";
    case PNG_COLOR_TYPE_PALETTE: return "palette";
    case PNG_COLOR_TYPE_RGB: return "RGB";
    default: return "RGBA";
  }
}

template <class T>
void widen(const std::vector<png_byte>& bytes, std::vector<float>& values) {
  values.resize(bytes.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<float>(value);
  }
}

}  // namespace

Raster decode_png(std::string_view bytes, const std::string& name) {
  PngReader reader(bytes);
  const auto need = [&](bool done) {
    check(done, "{}: damaged PNG: {}; copy or export the file again", name, reader.message);
  };
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning);
  if (reader.png != nullptr) reader.info = png_create_info_struct(reader.png);
  check(reader.info != nullptr, "{}: out of memory", name);
  png_set_read_fn(reader.png, &reader, read_bytes);
  need(read_png_header(reader));

  Raster raster;
  raster.height = png_get_image_height(reader.png, reader.info);
  raster.width = png_get_image_width(reader.png, reader.info);
  const int colour = png_get_color_type(reader.png, reader.info);
  const int depth = png_get_bit_depth(reader.png, reader.info);
  raster.kind = fmt::format("{}-bit {} PNG", depth, colour_name(colour));
  check_raster_size(raster.height, raster.width, 4, name);
  need(start_png_rows(reader));
  raster.channels = png_get_channels(reader.png, reader.info);
  raster.alpha = raster.channels % 2 == 0;
  raster.most = depth == 16 ? 65535.0F : 255.0F;
  const std::size_t row = png_get_rowbytes(reader.png, reader.info);
  check(row * raster.height / kMaxDeflateRatio <= bytes.size(),
        "{}: claims {} x {} pixels, more than a file of {} bytes can hold; copy it again", name,
        raster.height, raster.width, bytes.size());
  std::vector<png_byte> pixels(row * raster.height);
  std::vector<png_bytep> rows(raster.height);
  for (std::size_t y = 0; y < rows.size(); ++y) rows[y] = pixels.data() + y * row;
  need(read_png_rows(reader, rows.data()));
  if (depth == 16)
    widen<std::uint16_t>(pixels, raster.values);
  else
    widen<std::uint8_t>(pixels, raster.values);
  return raster;
}

}  // namespace glia
