// In place of the decoders where Glia is built without their libraries (-DGLIA_FORMATS=OFF), as on
// a machine that only computes: PNG and JPEG go through stb_image, TIFF and NIfTI are not read.
#include "engine/base/check.h"
#include "engine/formats/gzip.h"
#include "engine/formats/nifti_header.h"
#include "engine/formats/pixels.h"
#include "engine/formats/raster_formats.h"

namespace glia {

namespace {

[[noreturn]] void fail_missing(const std::string& name) {
  fail("{}: this glia was built without TIFF and NIfTI; build it with -DGLIA_FORMATS=ON", name);
}

}  // namespace

std::vector<std::uint16_t> png_pixels(std::string_view bytes, const PngHeader& header,
                                      const std::string& name) {
  return stb_png_pixels(bytes, header, name);
}
std::vector<std::uint16_t> jpeg_pixels(std::string_view bytes, const JpegHeader& header,
                                       const std::string& name) {
  return stb_jpeg_pixels(bytes, header, name);
}
Raster decode_tiff(std::string_view, const std::string& name) {
  fail_missing(name);
}
NiftiHeader parse_nifti_header(std::string_view, const std::string& name) {
  fail_missing(name);
}
std::string mask_header(const NiftiHeader&) {
  fail_missing("NIfTI");
}
std::string gunzip_start(std::string_view, std::size_t, const std::string& name) {
  fail_missing(name);
}
std::string gunzip(std::string_view, std::size_t, const std::string& name) {
  fail_missing(name);
}
std::string gzip(std::string_view) {
  fail_missing("gzip");
}

}  // namespace glia
