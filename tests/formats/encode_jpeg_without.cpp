// Where there is no libjpeg; stb_image_write knows no grey.
#include <stdexcept>

#include "tests/formats/encode.h"

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb_image_write.h>

namespace glia {

const std::vector<int>& jpeg_channels() {
  static const std::vector<int> kColour{3};
  return kColour;
}

std::string jpeg_file(int height, int width, int channels,
                      const std::vector<std::uint8_t>& pixels) {
  if (channels != 3) throw std::logic_error("the test asks for a JPEG that cannot be written here");
  std::string file;
  const auto append = [](void* to, void* bytes, int size) {
    static_cast<std::string*>(to)->append(static_cast<char*>(bytes),
                                          static_cast<std::size_t>(size));
  };
  stbi_write_jpg_to_func(append, &file, width, height, channels, pixels.data(), 95);
  return file;
}

}  // namespace glia
