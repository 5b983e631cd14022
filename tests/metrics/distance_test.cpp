// HD95: cases worked by hand, and masks of all kinds against every pair of outline pixels.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/rng.h"
#include "engine/metrics/distance.h"
#include "tests/catch.h"

namespace {

using glia::hd95;
using glia::PixelSize;

struct Mask {
  std::int64_t height, width;
  std::vector<float> values;

  Mask(std::int64_t h, std::int64_t w) : height(h), width(w), values(std::size_t(h * w)) {}
  /// Rows and columns from the first to the last, both included.
  Mask& fill(std::int64_t top, std::int64_t left, std::int64_t bottom, std::int64_t right,
             float value = 1) {
    for (std::int64_t r = top; r <= bottom; ++r)
      for (std::int64_t c = left; c <= right; ++c) values[std::size_t(r * width + c)] = value;
    return *this;
  }
  Mask& set(std::int64_t row, std::int64_t column) { return fill(row, column, row, column); }
  bool at(std::int64_t r, std::int64_t c) const {
    return r >= 0 && c >= 0 && r < height && c < width && values[std::size_t(r * width + c)] > 0.5F;
  }
};

std::optional<double> distance(const Mask& a, const Mask& b, const PixelSize& size = {}) {
  return hd95(a.values, b.values, a.height, a.width, size);
}

/// From the definition: all pairs, sorted.
double reference(const Mask& a, const Mask& b, const PixelSize& size) {
  const auto outline = [](const Mask& mask) {
    std::vector<std::array<double, 2>> pixels;
    for (std::int64_t r = 0; r < mask.height; ++r)
      for (std::int64_t c = 0; c < mask.width; ++c) {
        const int neighbours =
            mask.at(r - 1, c) + mask.at(r + 1, c) + mask.at(r, c - 1) + mask.at(r, c + 1);
        if (mask.at(r, c) && neighbours < 4) pixels.push_back({double(r), double(c)});
      }
    return pixels;
  };
  const auto one_way = [&](const auto& from, const auto& to) {
    std::vector<double> nearest;
    for (const auto& p : from) {
      double least = 1e300;
      for (const auto& q : to)
        least = std::min(least, std::hypot((p[0] - q[0]) * size.row, (p[1] - q[1]) * size.column));
      nearest.push_back(least);
    }
    std::sort(nearest.begin(), nearest.end());
    const double place = 0.95 * double(nearest.size() - 1);
    const auto below = std::size_t(place);
    const auto above = std::min(below + 1, nearest.size() - 1);
    return nearest[below] + (place - double(below)) * (nearest[above] - nearest[below]);
  };
  const auto x = outline(a), y = outline(b);
  return std::max(one_way(x, y), one_way(y, x));
}

}  // namespace

TEST_CASE("HD95 of masks worked by hand", "[metrics]") {
  const Mask square = Mask(20, 20).fill(5, 5, 14, 14);
  CHECK(distance(square, square).value() == 0);
  // Only outlines count: a ring is the outline of the square that it encloses.
  const Mask ring = Mask(20, 20).fill(5, 5, 14, 14).fill(6, 6, 13, 13, 0);
  CHECK(distance(square, ring).value() == 0);
  // Two pixels, 3 rows and 4 columns apart.
  const Mask first = Mask(10, 10).set(1, 1), second = Mask(10, 10).set(4, 5);
  CHECK(distance(first, second).value() == Approx(5));
  CHECK(distance(first, second, {2, 0.5}).value() == Approx(std::sqrt(36 + 4.0)));
  // A pixel at the end of a line of 21: distances 0 to 20, the 95th percentile is 19. The largest,
  // 20, is what HD95 leaves out.
  const Mask line = Mask(5, 30).fill(2, 3, 2, 23), end = Mask(5, 30).set(2, 3);
  CHECK(distance(line, end).value() == Approx(19));
  CHECK(distance(end, line).value() == Approx(19));
  // Of a line of 11, between the places 9 and 10: 9.5.
  const Mask shorter = Mask(5, 30).fill(2, 3, 2, 13);
  CHECK(distance(shorter, end).value() == Approx(9.5));
}

TEST_CASE("HD95 of empty masks", "[metrics]") {
  const Mask none(30, 40), some = Mask(30, 40).fill(3, 3, 8, 9),
                           all = Mask(30, 40).fill(0, 0, 29, 39);
  CHECK_FALSE(distance(none, none));
  CHECK(distance(none, some).value() == Approx(50));
  CHECK(distance(some, none).value() == Approx(50));
  CHECK(distance(some, none, {0.5, 0.5}).value() == Approx(25));
  // The edge of the picture is an outline too.
  CHECK(distance(all, all).value() == 0);
  CHECK(distance(all, some).value() == Approx(reference(all, some, {})));
  CHECK(distance(all, some).value() < 50);
}

TEST_CASE("HD95 agrees with every pair of outline pixels", "[metrics]") {
  glia::Sequence random(1, 2);
  int compared = 0;
  for (int round = 0; round < 400; ++round) {
    const auto height = std::int64_t(1 + random.below(18)),
               width = std::int64_t(1 + random.below(23));
    Mask masks[2] = {{height, width}, {height, width}};
    for (Mask& mask : masks) {
      const double density = std::array{0.02, 0.2, 0.6, 0.97}[random.below(4)];
      for (float& value : mask.values) value = random.chance(density) ? 1.0F : 0.0F;
    }
    const PixelSize size = std::array<PixelSize, 3>{{{1, 1}, {0.9, 0.45}, {3, 7}}}[random.below(3)];
    const auto found = distance(masks[0], masks[1], size);
    const auto any = [](const Mask& mask) {
      return std::find(mask.values.begin(), mask.values.end(), 1.0F) != mask.values.end();
    };
    if (!any(masks[0]) || !any(masks[1])) continue;
    CAPTURE(round, height, width, size.row, size.column);
    REQUIRE(found.value() == Approx(reference(masks[0], masks[1], size)).epsilon(1e-12));
    ++compared;
  }
  CHECK(compared > 250);
}

TEST_CASE("HD95 refuses masks that do not fit", "[metrics]") {
  const std::vector<float> six(6), eight(8);
  CHECK_THROWS_AS(hd95(six, eight, 2, 3), glia::Error);
  CHECK_THROWS_AS(hd95(six, six, 2, 4), glia::Error);
}
