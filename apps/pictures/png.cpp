// PNG files, through stb_image_write: the one place that compiles it.
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#include <stb_image_write.h>

#include <limits>

#include "apps/pictures/pictures.h"
#include "engine/base/check.h"
#include "engine/base/file.h"

namespace glia {

std::string encode_png(const Picture& picture) {
  const std::int64_t row = std::int64_t{picture.width} * picture.channels;
  check(picture.width > 0 && picture.height > 0 &&
            static_cast<std::int64_t>(picture.pixels.size()) == row * picture.height,
        "picture: {} pixel bytes do not make a picture of {} x {} with {} channels",
        picture.pixels.size(), picture.width, picture.height, picture.channels);
  // stb counts the bytes, one more a row, in an int.
  check((row + 1) * picture.height < std::numeric_limits<int>::max(),
        "picture: {} x {} is too large for a PNG file here; write fewer or smaller slices",
        picture.width, picture.height);
  std::string png;
  const auto append = [](void* context, void* data, int size) {
    static_cast<std::string*>(context)->append(static_cast<const char*>(data),
                                               static_cast<std::size_t>(size));
  };
  const int written = stbi_write_png_to_func(append, &png, picture.width, picture.height,
                                             picture.channels, picture.pixels.data(), 0);
  check(written != 0, "picture: out of memory while compressing {} x {} pixels", picture.width,
        picture.height);
  return png;
}

void write_png(const std::filesystem::path& path, const Picture& picture) {
  write_file_atomically(path, encode_png(picture));
}

}  // namespace glia
