// Heat maps by pixel: which colours, where the line runs, what is refused.
#include "apps/pictures/heat.h"

#include <limits>

#include "engine/base/check.h"
#include "tests/catch.h"

using glia::Picture;

namespace {

constexpr int kSlice = 96, kFactor = 4;  // enlarged to 384

struct Pixel {
  int red, green, blue;
};

/// The middle of pixel (y, x) of the slice.
Pixel at(const Picture& picture, int y, int x, int dy = 2, int dx = 2) {
  const auto i =
      (static_cast<std::size_t>(y * kFactor + dy) * picture.width + x * kFactor + dx) * 3;
  return {picture.pixels[i], picture.pixels[i + 1], picture.pixels[i + 2]};
}

}  // namespace

TEST_CASE("heat: warm above 0, cold below, the slice at 0", "[pictures]") {
  const Picture slice{kSlice, kSlice, 1, std::vector<std::uint8_t>(kSlice * kSlice, 90)};
  std::vector<float> heat(kSlice * kSlice);
  heat[0] = 4;
  heat[1] = 1;
  heat[2] = -4;
  heat[3] = std::numeric_limits<float>::quiet_NaN();
  const Picture picture = glia::heat_picture(slice, {heat, kSlice, kSlice}, {});
  REQUIRE(picture.width == kSlice * kFactor);
  REQUIRE(picture.channels == 3);
  const Pixel strong = at(picture, 0, 0), weak = at(picture, 0, 1), cold = at(picture, 0, 2);
  CHECK(strong.red > 200);
  CHECK(strong.blue < strong.green);
  CHECK(weak.red > weak.blue);
  CHECK(weak.green < strong.green);
  CHECK(cold.blue > 200);
  CHECK(cold.red < cold.green);
  for (const int x : {3, 4}) {
    CHECK(at(picture, 0, x).red == 90);
    CHECK(at(picture, 0, x).blue == 90);
  }
}

TEST_CASE("heat: a white line runs inside the rim of the region", "[pictures]") {
  const Picture slice{kSlice, kSlice, 1, std::vector<std::uint8_t>(kSlice * kSlice, 10)};
  const std::vector<float> heat(kSlice * kSlice);
  std::vector<float> region(kSlice * kSlice);
  region[5 * kSlice + 7] = 1;
  const Picture picture =
      glia::heat_picture(slice, {heat, kSlice, kSlice}, {region, kSlice, kSlice});
  CHECK(at(picture, 5, 7, 0, 2).red == 255);
  CHECK(at(picture, 5, 7, 3, 3).green == 255);
  CHECK(at(picture, 5, 7).red == 10);
  CHECK(at(picture, 4, 7, 3, 2).red == 10);
}

TEST_CASE("heat: sizes that differ are refused", "[pictures]") {
  const Picture slice{4, 3, 1, std::vector<std::uint8_t>(12)};
  const std::vector<float> values(12);
  CHECK_THROWS_AS(glia::heat_picture(slice, {values, 4, 3}, {}), glia::Error);
  CHECK_THROWS_AS(glia::heat_picture(slice, {values, 3, 4}, {values, 4, 3}), glia::Error);
}
