#include "engine/import/resample.h"

#include <numeric>

#include "tests/catch.h"
#include "tests/data/slices.h"

using namespace glia;

TEST_CASE("resample: the same size changes nothing", "[resample]") {
  std::vector<float> image(4 * 5 * 2);
  std::iota(image.begin(), image.end(), 0.0F);
  CHECK(resize_image(image, {4, 5}, 2, {4, 5}) == image);
  const std::vector<std::uint8_t> mask{1, 0, 0, 1, 1, 0};
  CHECK(resize_mask(mask, {2, 3}, {2, 3}) == mask);
}

TEST_CASE("resample: twice the width interpolates between pixel centres", "[resample]") {
  CHECK(resize_image(std::vector<float>{0, 4}, {1, 2}, 1, {1, 4}) ==
        std::vector<float>{0, 1, 3, 4});
  CHECK(resize_image(std::vector<float>{0, 4}, {2, 1}, 1, {4, 1}) ==
        std::vector<float>{0, 1, 3, 4});
  CHECK(resize_mask(std::vector<std::uint8_t>{0, 1}, {1, 2}, {2, 4}) ==
        std::vector<std::uint8_t>{0, 0, 1, 1, 0, 0, 1, 1});
}

TEST_CASE("resample: shrinking averages, so that a chessboard turns grey", "[resample]") {
  std::vector<float> board(64 * 64);
  for (std::size_t i = 0; i < board.size(); ++i)
    board[i] = (i / 64 + i % 64) % 2 == 0 ? 1.0F : 0.0F;
  for (float value : resize_image(board, {64, 64}, 1, {16, 16}))
    REQUIRE(value == Approx(0.5).margin(0.02));
}

TEST_CASE("resample: a ramp stays a ramp away from its ends", "[resample]") {
  std::vector<float> ramp(30);
  std::iota(ramp.begin(), ramp.end(), 0.0F);
  for (std::int64_t width : {13, 47}) {
    const std::vector<float> out = resize_image(ramp, {1, 30}, 1, {1, width});
    const double scale = 30.0 / static_cast<double>(width);
    for (std::int64_t i = 3; i < width - 3; ++i)
      REQUIRE(out[static_cast<std::size_t>(i)] ==
              Approx((static_cast<double>(i) + 0.5) * scale - 0.5).margin(width > 30 ? 1e-3 : 0.1));
  }
}

TEST_CASE("resample: a margin has the least value of its channel", "[resample]") {
  CHECK(pad_image(std::vector<float>{5, -1, 6, -2}, {1, 2}, 2, {2, 3}) ==
        std::vector<float>{5, -1, 6, -2, 5, -2, 5, -2, 5, -2, 5, -2});
  CHECK(pad_mask(std::vector<std::uint8_t>{1}, {1, 1}, {3, 4}) ==
        std::vector<std::uint8_t>{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0});
  CHECK_THAT(error_of([] {
               pad_mask(std::vector<std::uint8_t>{1, 1}, {1, 2}, {5, 1});
             }),
             ContainsSubstring("a slice of 1 x 2 does not fit into 5 x 1"));
}

TEST_CASE("resample: sizes as text", "[resample]") {
  CHECK(parse_size("240x256", "--resize") == Size{240, 256});
  for (const char* bad : {"", "240", "240x", "x256", "0x5", "5x-1", "70000x5", "5x5x5", "5 x 5"})
    CHECK_THAT(error_of([&] { parse_size(bad, "--resize"); }),
               ContainsSubstring(std::string("--resize ") + bad + ": expected HEIGHTxWIDTH"));
}

TEST_CASE("resample: a slice fits into a size with the ratio of its sides", "[import]") {
  const auto inner = [](Size from, Size to) { return fit(from, to, false, {}).inner; };
  CHECK(inner({512, 512}, {256, 256}) == Size{256, 256});
  CHECK(inner({100, 200}, {256, 256}) == Size{128, 256});
  CHECK(inner({200, 100}, {256, 300}) == Size{256, 128});
  CHECK(inner({3, 1000}, {10, 10}) == Size{1, 10});
  CHECK(fit({100, 200}, Size{256, 256}, false, {}).outer == Size{256, 256});
  CHECK(fit({100, 200}, Size{256, 256}, true, {}).inner == Size{256, 256});
  CHECK(fit({100, 200}, {}, false, Size{256, 256}).inner == Size{100, 200});
  CHECK_THAT(error_of([] {
               fit({100, 200}, Size{256, 256}, false, Size{256, 200});
             }),
             ContainsSubstring("256 x 256 pixels are more than --pad-to 256x200"));
}

TEST_CASE("resample: a map comes back to the slice that it was made of", "[resample]") {
  std::vector<float> image(6 * 4);
  std::iota(image.begin(), image.end(), 1.0F);
  const Fit padded = fit({6, 4}, std::nullopt, false, Size{9, 8});
  CHECK(unfit_map(fit_image(image, {6, 4}, 1, padded), padded, {6, 4}) == image);
  // To half the size and back: a ramp stays one where no edge is near.
  const Fit half = fit({6, 4}, Size{3, 4}, false, std::nullopt);
  CHECK(half.inner == Size{3, 2});
  CHECK(half.outer == Size{3, 4});
  const std::vector<float> back = unfit_map(fit_image(image, {6, 4}, 1, half), half, {6, 4});
  REQUIRE(back.size() == image.size());
  CHECK(back[2 * 4 + 1] == Approx(image[2 * 4 + 1]).margin(0.6));
}
