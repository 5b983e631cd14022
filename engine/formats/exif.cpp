#include "engine/formats/exif.h"

#include <cstdint>
#include <utility>

#include "engine/formats/raster.h"

namespace glia {

namespace {

constexpr std::uint32_t kOrientationTag = 274, kShort = 3, kLong = 4;
constexpr std::size_t kEntry = 12;  // bytes of a field

/// Numbers of the block's byte order; 0 beyond its end.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes), little_(bytes.starts_with("II")) {}

  std::uint32_t number(std::size_t at, std::size_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
      value = value << 8 | static_cast<unsigned char>(bytes_[at + (little_ ? size - 1 - i : i)]);
    return value;
  }

 private:
  std::string_view bytes_;
  bool little_;
};

/// Pixels [height, width, channels] in their new places.
std::vector<float> turned(const std::vector<float>& from, std::int64_t height, std::int64_t width,
                          std::int64_t channels, int orientation) {
  const bool transposed = orientation >= 5;
  const std::int64_t new_height = transposed ? width : height;
  const std::int64_t new_width = transposed ? height : width;
  std::vector<float> to;
  to.reserve(from.size());
  for (std::int64_t y = 0; y < new_height; ++y)
    for (std::int64_t x = 0; x < new_width; ++x) {
      std::int64_t row = transposed ? x : y, column = transposed ? y : x;
      // Which stored rows and columns run against the upright ones.
      if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7)
        row = height - 1 - row;
      if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8)
        column = width - 1 - column;
      const float* pixel = from.data() + (row * width + column) * channels;
      to.insert(to.end(), pixel, pixel + channels);
    }
  return to;
}

}  // namespace

std::optional<int> exif_orientation(std::string_view block) {
  const Reader reader(block);
  if (!block.starts_with("II") && !block.starts_with("MM")) return {};
  if (reader.number(2, 2) != 42) return {};
  const std::size_t directory = reader.number(4, 4);
  const std::uint32_t fields = reader.number(directory, 2);
  for (std::uint32_t i = 0; i < fields; ++i) {
    const std::size_t field = directory + 2 + i * kEntry;
    if (field + kEntry > block.size()) break;
    if (reader.number(field, 2) != kOrientationTag) continue;
    const std::uint32_t type = reader.number(field + 2, 2);
    if (type != kShort && type != kLong) return {};
    const std::uint32_t value = reader.number(field + 8, type == kShort ? 2 : 4);
    if (value < 1 || value > 8) return {};
    return static_cast<int>(value);
  }
  return {};
}

void turn_upright(Raster& raster) {
  const int orientation = std::exchange(raster.orientation, 1);
  if (orientation == 1) return;
  raster.values = turned(raster.values, raster.height, raster.width, raster.channels, orientation);
  if (!raster.indices.empty())
    raster.indices = turned(raster.indices, raster.height, raster.width, 1, orientation);
  if (orientation >= 5) std::swap(raster.height, raster.width);
}

}  // namespace glia
