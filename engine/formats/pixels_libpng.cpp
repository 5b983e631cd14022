// The samples of PNG through libpng.
#include <png.h>

#include <bit>
#include <cstring>

#include "engine/base/check.h"
#include "engine/formats/pixels.h"

namespace glia {

namespace {

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

}  // namespace

std::vector<std::uint16_t> png_pixels(std::string_view bytes, const PngHeader& header,
                                      const std::string& name) {
  PngReader reader(bytes);
  const auto need = [&](bool done) {
    check(done, "{}: damaged PNG: {}; copy or export the file again", name, reader.message);
  };
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning);
  if (reader.png != nullptr) reader.info = png_create_info_struct(reader.png);
  check(reader.info != nullptr, "{}: out of memory", name);
  png_set_read_fn(reader.png, &reader, read_bytes);
  need(read_png_header(reader));
  need(start_png_rows(reader));
  const std::size_t row = png_get_rowbytes(reader.png, reader.info);
  const auto height = static_cast<std::size_t>(header.height);
  const auto samples = static_cast<std::size_t>(header.width * header.samples());
  const std::size_t bytes_each = header.depth == 16 ? 2 : 1;
  check(row == samples * bytes_each && png_get_image_height(reader.png, reader.info) == height,
        "{}: damaged PNG: it has two sizes; copy or export the file again", name);
  std::vector<png_byte> pixels(row * height);
  std::vector<png_bytep> rows(height);
  for (std::size_t y = 0; y < rows.size(); ++y) rows[y] = pixels.data() + y * row;
  need(read_png_rows(reader, rows.data()));
  if (bytes_each == 1) return {pixels.begin(), pixels.end()};
  std::vector<std::uint16_t> values(samples * height);
  std::memcpy(values.data(), pixels.data(), pixels.size());
  return values;
}

}  // namespace glia
