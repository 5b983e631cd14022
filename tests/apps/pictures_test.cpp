// Pictures: windows, masks, outlines and layout by pixel; PNG files decoded back.
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#include <stb_image.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <string>

#include "apps/pictures/pictures.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "tests/catch.h"
#include "tests/temp_folder.h"

namespace {

using glia::Picture;
using glia::Plane;
using Rgb = std::array<int, 3>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Rgb rgb_at(const Picture& picture, int y, int x) {
  const std::size_t i = (std::size_t(y) * picture.width + x) * 3;
  return {picture.pixels[i], picture.pixels[i + 1], picture.pixels[i + 2]};
}

/// A plane of `side` x `side` with ones in rows and columns [from, to).
std::vector<float> square(int side, int from, int to) {
  std::vector<float> values(std::size_t(side) * side);
  for (int y = from; y < to; ++y)
    for (int x = from; x < to; ++x) values[std::size_t(y) * side + x] = 1;
  return values;
}

}  // namespace

TEST_CASE("a PNG decodes to the same pixels", "[pictures]") {
  glia::TempFolder folder;
  for (const int channels : {1, 3}) {
    Picture picture{7, 5, channels, {}};
    picture.pixels.resize(std::size_t(7) * 5 * channels);
    for (std::size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = 37 * i % 256;
    glia::write_png(folder.path() / "a.png", picture);
    const std::string bytes = glia::read_file(folder.path() / "a.png");
    int width = 0, height = 0, found = 0;
    stbi_uc* decoded = stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()),
                                             int(bytes.size()), &width, &height, &found, 0);
    REQUIRE(decoded != nullptr);
    CHECK(width == 7);
    CHECK(height == 5);
    CHECK(found == channels);
    CHECK(std::equal(picture.pixels.begin(), picture.pixels.end(), decoded));
    stbi_image_free(decoded);
  }
}

TEST_CASE("the grey window ignores the background and outliers", "[pictures]") {
  // Channel 1 of 2: background -9, tissue 0 to 1000 in order, one outlier.
  std::vector<float> image(2 * 1200, -9.0F);
  for (int i = 0; i <= 1000; ++i) image[2 * (100 + i) + 1] = float(i);
  image[2 * 1150 + 1] = 1e6F;
  const Picture picture = glia::channel_picture(image, 30, 40, 2, 1);
  CHECK(picture.pixels[0] == 0);        // background
  CHECK(picture.pixels[100 + 5] == 0);  // below the 1st percentile
  CHECK(int(picture.pixels[100 + 500]) == Approx(127.5).margin(1.5));
  CHECK(picture.pixels[100 + 995] == 255);  // above the 99th
  CHECK(picture.pixels[1150] == 255);
  const Picture other = glia::channel_picture(image, 30, 40, 2, 0);
  CHECK(std::set<int>(other.pixels.begin(), other.pixels.end()) == std::set<int>{0});
}

TEST_CASE("two-valued and non-finite channels are drawn", "[pictures]") {
  const std::vector<float> image{0, 1, kNan, std::numeric_limits<float>::infinity()};
  const Picture picture = glia::channel_picture(image, 2, 2, 1, 0);
  CHECK(picture.pixels == std::vector<std::uint8_t>{0, 255, 0, 255});
}

TEST_CASE("masks are 0 or 255 and the threshold itself is background", "[pictures]") {
  const std::vector<float> values{0, 0.25F, 0.5F, 0.75F, 1, kNan};
  CHECK(glia::mask_picture({values, 2, 3}).pixels ==
        std::vector<std::uint8_t>{0, 0, 0, 255, 255, 0});
  CHECK(glia::mask_picture({values, 2, 3}, 0.2F).pixels ==
        std::vector<std::uint8_t>{0, 255, 255, 255, 255, 0});
  CHECK(glia::probability_picture({values, 2, 3}).pixels ==
        std::vector<std::uint8_t>{0, 64, 128, 191, 255, 0});
}

TEST_CASE("small slices are enlarged by a whole factor", "[pictures]") {
  CHECK(glia::display_factor(240, 240) == 2);
  CHECK(glia::display_factor(64, 64) == 6);
  CHECK(glia::display_factor(16, 384) == 1);
  CHECK(glia::display_factor(5000, 10) == 1);
}

TEST_CASE("an overlay outlines truth in green, prediction in red, both in yellow", "[pictures]") {
  constexpr int kSide = 400;  // factor 1: mask pixels are picture pixels
  const Picture slice{kSide, kSide, 1, std::vector<std::uint8_t>(kSide * kSide, 100)};
  const std::vector<float> truth = square(kSide, 100, 200), prediction = square(kSide, 150, 300);
  const Picture picture =
      glia::overlay_picture(slice, {truth, kSide, kSide}, {prediction, kSide, kSide});
  CHECK(picture.width == kSide);
  const Rgb grey{100, 100, 100}, green = rgb_at(picture, 100, 120);
  CHECK(rgb_at(picture, 50, 50) == grey);
  CHECK(rgb_at(picture, 120, 120) == grey);  // inside the truth, not predicted
  CHECK((green[1] > 200 && green[0] < 100));
  for (int x = 100; x < 150; ++x) CHECK(rgb_at(picture, 100, x) == green);  // solid
  CHECK(rgb_at(picture, 101, 120) == green);                                // two pixels wide
  CHECK(rgb_at(picture, 99, 120) == grey);
  const Rgb tint = rgb_at(picture, 250, 250);
  CHECK((tint[0] > 120 && tint[1] < 100));
  std::set<Rgb> along;
  for (int x = 210; x < 290; ++x) along.insert(rgb_at(picture, 299, x));
  CHECK(along.size() == 2);  // dashes and gaps
  CHECK(along.count(tint) == 1);
  CHECK(rgb_at(picture, 199, 199)[1] > 200);

  const Picture same = glia::overlay_picture(slice, {truth, kSide, kSide}, {truth, kSide, kSide});
  const Rgb yellow = rgb_at(same, 100, 120);
  CHECK((yellow[0] > 200 && yellow[1] > 200 && yellow[2] < 50));
  const Picture alone = glia::overlay_picture(slice, {}, {truth, kSide, kSide});
  for (int x = 100; x < 200; ++x) CHECK(rgb_at(alone, 100, x)[1] < 100);
}

TEST_CASE("a mask that touches the picture's edge is outlined there", "[pictures]") {
  constexpr int kSide = 400;
  const Picture slice{kSide, kSide, 1, std::vector<std::uint8_t>(kSide * kSide, 0)};
  const std::vector<float> truth = square(kSide, 0, kSide), none(kSide * kSide);
  const Picture picture = glia::overlay_picture(slice, {truth, kSide, kSide}, {none, kSide, kSide});
  for (const int edge : {0, kSide - 1}) {
    CHECK(rgb_at(picture, edge, 200)[1] > 200);
    CHECK(rgb_at(picture, 200, edge)[1] > 200);
  }
  CHECK(rgb_at(picture, 200, 200) == Rgb{0, 0, 0});
}

TEST_CASE("a triptych shows slice, truth and prediction, or the probability", "[pictures]") {
  constexpr int kSide = 200, kPanel = 400;
  const Picture slice{kSide, kSide, 1, std::vector<std::uint8_t>(kSide * kSide, 100)};
  const std::vector<float> truth = square(kSide, 0, 100);
  const std::vector<float> probability(kSide * kSide, 0.6F);
  const std::vector<float> mask = square(kSide, 150, 200);
  const Picture picture = glia::triptych_picture(slice, {truth, kSide, kSide},
                                                 {probability, kSide, kSide}, {mask, kSide, kSide});
  REQUIRE(picture.height == kPanel);
  const int gap = (picture.width - 3 * kPanel) / 2;
  CHECK((gap >= 1 && gap <= 4));
  const int second = kPanel + gap, third = 2 * (kPanel + gap);
  CHECK(rgb_at(picture, 50, 50) == Rgb{100, 100, 100});
  CHECK(rgb_at(picture, 199, second + 199) == Rgb{255, 255, 255});
  CHECK(rgb_at(picture, 200, second + 200) == Rgb{0, 0, 0});
  CHECK(rgb_at(picture, 399, third + 399) == Rgb{255, 255, 255});
  CHECK(rgb_at(picture, 200, third + 200) == Rgb{0, 0, 0});
  const Picture without =
      glia::triptych_picture(slice, {}, {probability, kSide, kSide}, {mask, kSide, kSide});
  CHECK(rgb_at(without, 200, second + 200) == Rgb{153, 153, 153});
  CHECK(rgb_at(without, 200, third + 200) == Rgb{0, 0, 0});
}

TEST_CASE("a contact sheet centres pictures of different sizes in a grid", "[pictures]") {
  const std::vector<Picture> pictures{
      {4, 2, 1, std::vector<std::uint8_t>(8, 10)},
      {2, 4, 3, std::vector<std::uint8_t>(24, 20)},
      {4, 4, 1, std::vector<std::uint8_t>(16, 30)},
  };
  const Picture sheet = glia::contact_sheet(pictures, 2);
  const int gap = sheet.width - 8;
  REQUIRE(gap > 0);
  REQUIRE(sheet.height == 8 + gap);
  CHECK(rgb_at(sheet, 1, 0) == Rgb{10, 10, 10});
  CHECK(rgb_at(sheet, 0, 0) == rgb_at(sheet, 3, 0));  // the line's colour above and below
  CHECK(rgb_at(sheet, 0, 0) != Rgb{10, 10, 10});
  CHECK(rgb_at(sheet, 0, 4 + gap + 1) == Rgb{20, 20, 20});
  CHECK(rgb_at(sheet, 4 + gap, 0) == Rgb{30, 30, 30});
  CHECK(rgb_at(sheet, 4 + gap, 4 + gap + 1) == rgb_at(sheet, 0, 0));  // the empty cell
  CHECK(glia::contact_sheet(pictures, 10).width == 12 + 2 * gap);
}

TEST_CASE("pictures that cannot be drawn are refused", "[pictures]") {
  const std::vector<float> values(12);
  const Picture slice{4, 3, 1, std::vector<std::uint8_t>(12)};
  CHECK_THROWS_AS(glia::channel_picture(values, 2, 2, 3, 3), glia::Error);
  CHECK_THROWS_AS(glia::channel_picture(values, 2, 3, 3, 0), glia::Error);
  CHECK_THROWS_AS(glia::mask_picture({values, 5, 5}), glia::Error);
  CHECK_THROWS_AS(glia::mask_picture({values, -3, -4}), glia::Error);
  CHECK_THROWS_AS(glia::mask_picture({values, std::int64_t{1} << 40, 1}), glia::Error);
  CHECK_THROWS_AS(glia::overlay_picture(slice, {values, 4, 3}, {values, 3, 4}), glia::Error);
  CHECK_THROWS_AS(glia::triptych_picture(slice, {}, {values, 4, 3}, {values, 3, 4}), glia::Error);
  CHECK_THROWS_AS(glia::triptych_picture(slice, {}, {values, 3, 4}, {values, 4, 3}), glia::Error);
  CHECK_THROWS_AS(glia::contact_sheet({}, 3), glia::Error);
  CHECK_THROWS_AS(glia::encode_png({}), glia::Error);
  CHECK_THROWS_AS(glia::encode_png({4, 4, 3, std::vector<std::uint8_t>(47)}), glia::Error);
}
