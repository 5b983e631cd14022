#include "engine/formats/raster.h"

#include <algorithm>
#include <cctype>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/formats/raster_formats.h"

namespace glia {

namespace {

constexpr std::int64_t kMaxPictureValues = std::int64_t{1} << 27;  // 512 MiB as float
constexpr std::size_t kMaxPictureFile = std::size_t{2} << 30;

/// What others call the first bytes of files that are no pictures to Glia.
std::string_view known_as(std::string_view bytes) {
  using namespace std::string_view_literals;
  struct Magic {
    std::string_view bytes, name;
  };
  constexpr Magic kMagic[] = {{"GIF8"sv, "a GIF"},
                              {"BM"sv, "a BMP"},
                              {"RIFF"sv, "a WebP"},
                              {"%PDF"sv, "a PDF"},
                              {"\x93NUMPY"sv, "a .npy array"},
                              {"\x1F\x8B"sv, "a gzip file"},
                              {"\0\0\0\x0CjP"sv, "a JPEG 2000"},
                              {"<"sv, "HTML or XML"}};
  for (const Magic& magic : kMagic)
    if (bytes.starts_with(magic.bytes)) return magic.name;
  return "something else";
}

}  // namespace

bool is_raster_name(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::string_view kKnown[] = {".png", ".tif", ".tiff", ".jpg", ".jpeg"};
  return std::find(std::begin(kKnown), std::end(kKnown), extension) != std::end(kKnown);
}

void check_raster_size(std::int64_t height, std::int64_t width, std::int64_t channels,
                       const std::string& name) {
  check(height > 0 && width > 0 && channels > 0,
        "{}: {} x {} pixels with {} channels is no picture", name, height, width, channels);
  check(height <= kMaxPictureValues && width <= kMaxPictureValues &&
            channels <= kMaxPictureValues / height / width,
        "{}: claims {} x {} pixels with {} channels, more than the {} values that Glia reads; the "
        "file is damaged or no slice",
        name, height, width, channels, kMaxPictureValues);
}

Raster decode_raster(std::string_view bytes, const std::string& name) {
  using namespace std::string_view_literals;
  check(!bytes.empty(), "{}: the file is empty; expected a picture", name);
  if (bytes.starts_with("\x89PNG"sv)) return decode_png(bytes, name);
  if (bytes.starts_with("\xFF\xD8\xFF"sv)) return decode_jpeg(bytes, name);
  for (std::string_view magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})
    if (bytes.starts_with(magic)) return decode_tiff(bytes, name);
  fail(
      "{}: neither PNG nor TIFF nor JPEG, but {} by its first bytes; copy the file again or "
      "convert "
      "it",
      name, known_as(bytes));
}

Raster read_raster(const std::filesystem::path& path) {
  return with_memory_for(
      path, [&] { return decode_raster(read_file(path, kMaxPictureFile), path.string()); });
}

}  // namespace glia
