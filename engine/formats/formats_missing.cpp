// In place of the decoders where Glia is built without their libraries (-DGLIA_FORMATS=OFF), as on
// a machine that only computes.
#include "engine/base/check.h"
#include "engine/formats/gzip.h"
#include "engine/formats/nifti_header.h"
#include "engine/formats/raster_formats.h"

namespace glia {

namespace {

[[noreturn]] void fail_missing(const std::string& name) {
  fail("{}: this glia was built without PNG, JPEG, TIFF and NIfTI; build it with -DGLIA_FORMATS=ON",
       name);
}

}  // namespace

Raster decode_png(std::string_view, const std::string& name) {
  fail_missing(name);
}
Raster decode_jpeg(std::string_view, const std::string& name) {
  fail_missing(name);
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
