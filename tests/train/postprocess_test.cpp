// Steps on masks, against masks drawn by hand: # is tumour, . is not.
#include "engine/train/postprocess.h"

#include <algorithm>

#include "engine/base/rng.h"
#include "tests/catch.h"
#include "tests/data/slices.h"

using namespace glia;

namespace {

/// A drawing: rows of the same length.
struct Drawing {
  std::vector<std::string> rows;

  std::int64_t height() const { return static_cast<std::int64_t>(rows.size()); }
  std::int64_t width() const { return static_cast<std::int64_t>(rows.front().size()); }
  std::vector<float> mask() const {
    std::vector<float> mask;
    for (const std::string& row : rows)
      for (char c : row) mask.push_back(c == '#' ? 1.0f : 0.0f);
    return mask;
  }
};

std::vector<std::string> draw(const std::vector<float>& mask, std::int64_t width) {
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (i % static_cast<std::size_t>(width) == 0) rows.emplace_back();
    rows.back() += mask[i] != 0 ? '#' : '.';
  }
  return rows;
}

std::vector<std::string> after(const Postprocess& steps, const Drawing& drawing) {
  std::vector<float> mask = drawing.mask();
  postprocess(steps, mask, drawing.height(), drawing.width());
  return draw(mask, drawing.width());
}

const Drawing kRing = {{".......",  //
                        ".####..",  //
                        ".#..#..",  //
                        ".#.#...",  // the curve closes over corners only
                        ".##...#",  //
                        "......#"}};

}  // namespace

TEST_CASE("postprocess: regions hang together over corners", "[postprocess]") {
  const Drawing drawing = {{"#..#",  //
                            ".#..",  //
                            "...#"}};
  const Regions regions = label_regions(drawing.mask(), 3, 4);
  CHECK(regions.label == std::vector<std::int32_t>{1, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 3});
  CHECK(regions.size == std::vector<std::int64_t>{2, 1, 1});
  CHECK(label_regions(std::vector<float>(6), 2, 3).size.empty());
}

TEST_CASE("postprocess: a thin curve has an inside, open bays have none", "[postprocess]") {
  CHECK(after({.fill_holes = true}, kRing) == std::vector<std::string>{".......",  //
                                                                       ".####..",  //
                                                                       ".####..",  //
                                                                       ".###...",  //
                                                                       ".##...#",  //
                                                                       "......#"});
  const Drawing bay = {{"###",  //
                        "#..",  //
                        "###"}};
  CHECK(after({.fill_holes = true}, bay) == bay.rows);
  const Drawing nested = {{"#####",  //
                           "#...#",  //
                           "#.#.#",  //
                           "#...#",  //
                           "#####"}};
  CHECK(after({.fill_holes = true}, nested) == std::vector<std::string>(5, "#####"));
}

TEST_CASE("postprocess: the largest region stays, the first of equals", "[postprocess]") {
  const Drawing drawing = {{"##..#",  //
                            "....#",  //
                            ".#..#"}};
  CHECK(after({.keep_largest = true}, drawing) ==
        std::vector<std::string>{"....#", "....#", "....#"});
  CHECK(after({.keep_largest = true}, {{"#.#"}}) == std::vector<std::string>{"#.."});
  CHECK(after({.keep_largest = true}, {{"..."}}) == std::vector<std::string>{"..."});
}

TEST_CASE("postprocess: regions below the size go, those of the size stay", "[postprocess]") {
  const Drawing drawing = {{"##.#.###"}};
  CHECK(after({.min_size = 2}, drawing) == std::vector<std::string>{"##...###"});
  CHECK(after({.min_size = 3}, drawing) == std::vector<std::string>{".....###"});
  CHECK(after({.min_size = 4}, drawing) == std::vector<std::string>{"........"});
  CHECK(after({.min_size = 1}, drawing) == drawing.rows);
  CHECK(after({}, drawing) == drawing.rows);
}

TEST_CASE("postprocess: holes are filled before regions are weighed", "[postprocess]") {
  // The ring has 10 pixels, the bar 11; with its 3 holes filled the ring is larger.
  const Drawing drawing = {{"####.###########",  //
                            "#..#............",  //
                            "#.#.............",  //
                            "##.............."}};
  CHECK(after({.keep_largest = true}, drawing)[1] == "................");
  CHECK(after({.fill_holes = true, .keep_largest = true}, drawing) ==
        std::vector<std::string>{"####............", "####............", "###.............",
                                 "##.............."});
  CHECK(after({.fill_holes = true, .min_size = 12}, drawing)[0] == "####............");
}

TEST_CASE("postprocess: random masks keep what must hold", "[postprocess]") {
  Sequence random(4, 0);
  for (int round = 0; round < 200; ++round) {
    const auto height = static_cast<std::int64_t>(1 + random.below(9));
    const auto width = static_cast<std::int64_t>(1 + random.below(9));
    const double share = random.uniform(0.2, 0.8);
    std::vector<float> mask;
    for (std::int64_t i = 0; i < height * width; ++i) mask.push_back(random.chance(share));
    const Regions regions = label_regions(mask, height, width);
    std::int64_t sum = 0;
    for (std::int64_t size : regions.size) sum += size;
    CHECK(sum == std::count(mask.begin(), mask.end(), 1.0f));
    auto filled = mask;
    fill_holes(filled, height, width);
    for (std::size_t i = 0; i < mask.size(); ++i) CHECK(filled[i] >= mask[i]);
    // No background of the filled mask is enclosed, so filling again changes nothing.
    auto twice = filled;
    fill_holes(twice, height, width);
    CHECK(twice == filled);
    auto largest = mask;
    keep_largest(largest, height, width);
    CHECK(label_regions(largest, height, width).size.size() == (regions.size.empty() ? 0 : 1));
  }
}

TEST_CASE("postprocess: a region as large as a slice needs no deep stack", "[postprocess]") {
  std::vector<float> mask(1000 * 1000, 1);
  CHECK(label_regions(mask, 1000, 1000).size == std::vector<std::int64_t>{1000 * 1000});
}

TEST_CASE("postprocess: what it says of itself, and a mask of another size", "[postprocess]") {
  CHECK(Postprocess{}.str().empty());
  CHECK(Postprocess{.fill_holes = true, .keep_largest = true, .min_size = 20}.str() ==
        "fill-holes, keep-largest, min-size 20");
  std::vector<float> mask(5);
  CHECK(error_of([&] { postprocess({}, mask, 2, 3); }) ==
        "postprocess: found 5 pixels, expected 2 x 3");
}
