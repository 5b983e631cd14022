// Titles above pictures: what is written, where, and that nothing is written elsewhere.
#include "apps/pictures/title.h"

#include <algorithm>

#include "tests/catch.h"

using namespace glia;

namespace {

Picture grey(int width, int height) {
  return {width, height, 1, std::vector<std::uint8_t>(std::size_t(width) * height, 100)};
}

/// How many pixels are white.
std::int64_t white(const Picture& picture) {
  return std::count(picture.pixels.begin(), picture.pixels.end(), 255) / 3;
}

}  // namespace

TEST_CASE("title: it stands above the picture, which stays as it is", "[pictures]") {
  const Picture source = grey(384, 50);
  const Picture one = titled(source, "saliency");
  CHECK(one.channels == 3);
  CHECK(one.width == 384);
  const int strip = one.height - 50;
  CHECK(strip > 0);
  CHECK(std::all_of(one.pixels.begin() + strip * 384 * 3, one.pixels.end(),
                    [](std::uint8_t value) { return value == 100; }));
  CHECK(white(one) > 100);
  CHECK(titled(source, "").height == one.height);
  CHECK(white(titled(source, "")) == 0);
  CHECK(titled(source, "occlusion").pixels != one.pixels);
  CHECK(titled(source, "saliency").pixels == one.pixels);
}

TEST_CASE("title: letters are of half the size where that makes them fit, or cut", "[pictures]") {
  const std::string text = "saliency 0.25";
  const std::int64_t large = white(titled(grey(384, 5), text));
  const std::int64_t small = white(titled(grey(100, 5), text));
  CHECK(large == 4 * small);
  const Picture cut = titled(grey(40, 5), text);
  CHECK(white(cut) > 0);
  CHECK(white(cut) < small);
  // None touches the sides.
  for (int y = 0; y < cut.height - 5; ++y)
    for (const int x : {0, cut.width - 1})
      CHECK(cut.pixels[std::size_t(y * cut.width + x) * 3] != 255);
  for (int width = 1; width < 12; ++width) CHECK(titled(grey(width, 2), text).width == width);
}

TEST_CASE("title: a character that the letters lack is a question mark", "[pictures]") {
  CHECK(titled(grey(200, 5), "a\xC3\xA9\xE2\x80\xA6\n").pixels ==
        titled(grey(200, 5), "a???").pixels);
}
