// PNG files through stb_image_write: the one place that compiles it.
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#include <stb_image_write.h>

#include <limits>

#include "engine/base/check.h"
#include "engine/formats/png_encoder.h"

namespace glia {

std::string encode_png(std::int64_t height, std::int64_t width, std::int64_t channels,
                       std::span<const std::uint8_t> pixels) {
  const std::int64_t row = width * channels;
  check(height > 0 && width > 0 && (channels == 1 || channels == 3) &&
            std::ssize(pixels) == height * row,
        "picture: {} pixel bytes do not make a picture of {} x {} with {} channels", pixels.size(),
        width, height, channels);
  // stb counts the bytes, one more a row, in an int.
  check((row + 1) * height < std::numeric_limits<int>::max(),
        "picture: {} x {} is more than this build can write as a PNG; use smaller pictures, or a "
        "build "
        "with libpng (docs/install.md)",
        width, height);
  std::string png;
  const auto append = [](void* context, void* data, int size) {
    static_cast<std::string*>(context)->append(static_cast<const char*>(data),
                                               static_cast<std::size_t>(size));
  };
  const int written =
      stbi_write_png_to_func(append, &png, static_cast<int>(width), static_cast<int>(height),
                             static_cast<int>(channels), pixels.data(), 0);
  check(written != 0, "picture: out of memory while compressing {} x {} pixels", width, height);
  return png;
}

}  // namespace glia
