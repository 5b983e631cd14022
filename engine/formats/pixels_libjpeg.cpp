// The samples of JPEG through libjpeg.
#include <cstddef>
#include <cstdio>
// jpeglib.h needs the two above.
#include <jpeglib.h>

#include <csetjmp>

#include "engine/base/check.h"
#include "engine/formats/pixels.h"

namespace glia {

namespace {

/// libjpeg's state. Errors leave its functions by longjmp, so that functions which call setjmp hold
/// nothing that has a destructor.
struct JpegReader {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  std::jmp_buf escape;
  char message[JMSG_LENGTH_MAX] = "";

  JpegReader() = default;
  ~JpegReader() { jpeg_destroy_decompress(&jpeg); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
};

void keep_message(j_common_ptr jpeg) {
  jpeg->err->format_message(jpeg, static_cast<JpegReader*>(jpeg->client_data)->message);
}

void on_error(j_common_ptr jpeg) {
  keep_message(jpeg);
  std::longjmp(static_cast<JpegReader*>(jpeg->client_data)->escape, 1);
}

/// libjpeg goes on after damage and only warns; a slice with invented pixels is of no use.
void on_message(j_common_ptr jpeg, int level) {
  if (level < 0) on_error(jpeg);
}

bool read_jpeg_header(JpegReader& reader, std::string_view bytes) {
  if (setjmp(reader.escape)) return false;
  jpeg_create_decompress(&reader.jpeg);
  reader.jpeg.client_data = &reader;
  jpeg_mem_src(&reader.jpeg, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&reader.jpeg, TRUE);
  return true;
}

bool start_jpeg_rows(JpegReader& reader) {
  if (setjmp(reader.escape)) return false;
  jpeg_start_decompress(&reader.jpeg);
  return true;
}

bool read_jpeg_rows(JpegReader& reader, JSAMPLE* pixels, std::size_t row) {
  if (setjmp(reader.escape)) return false;
  while (reader.jpeg.output_scanline < reader.jpeg.output_height) {
    JSAMPROW place = pixels + row * reader.jpeg.output_scanline;
    jpeg_read_scanlines(&reader.jpeg, &place, 1);
  }
  jpeg_finish_decompress(&reader.jpeg);
  return true;
}

}  // namespace

std::vector<std::uint16_t> jpeg_pixels(std::string_view bytes, const JpegHeader& header,
                                       const std::string& name) {
  JpegReader reader;
  jpeg_decompress_struct& jpeg = reader.jpeg;
  jpeg.err = jpeg_std_error(&reader.errors);
  jpeg.client_data = &reader;
  reader.errors.error_exit = on_error;
  reader.errors.emit_message = on_message;
  const auto need = [&](bool done, const char* what) {
    check(done, "{}: damaged or unusual JPEG: {}; export the file again", name, what);
  };
  need(read_jpeg_header(reader, bytes), reader.message);
  const bool grey = jpeg.jpeg_color_space == JCS_GRAYSCALE;
  need(grey || jpeg.jpeg_color_space == JCS_YCbCr || jpeg.jpeg_color_space == JCS_RGB,
       "its colours are neither grey nor RGB");
  jpeg.out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
  need(start_jpeg_rows(reader), reader.message);
  need(jpeg.output_height == header.height && jpeg.output_width == header.width &&
           jpeg.output_components == header.components,
       "it has two sizes");
  const auto row = static_cast<std::size_t>(header.width * header.components);
  std::vector<JSAMPLE> pixels(row * static_cast<std::size_t>(header.height));
  need(read_jpeg_rows(reader, pixels.data(), row), reader.message);
  return {pixels.begin(), pixels.end()};
}

}  // namespace glia
