// PNG files of pictures.
#include "apps/pictures/pictures.h"
#include "engine/base/file.h"
#include "engine/formats/png_encoder.h"

namespace glia {

std::string encode_png(const Picture& picture) {
  return encode_png(picture.height, picture.width, picture.channels, picture.pixels);
}

void write_png(const std::filesystem::path& path, const Picture& picture, IfThere if_there) {
  write_file_atomically(path, encode_png(picture), if_there);
}

}  // namespace glia
