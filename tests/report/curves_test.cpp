// Charts: ticks, gaps, ranges and escaping, read back from the SVG text.
#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/report/curves.h"
#include "engine/report/line_chart.h"
#include "tests/catch.h"
#include "tests/report/occurrences.h"

namespace {

using glia::EpochRow;
using glia::LineChart;
using glia::test::occurrences;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The path data of the curves; a curve of the legend is drawn with "h".
std::vector<std::string> curves(const std::string& svg) {
  const std::string start = "<path class=\"line s";
  std::vector<std::string> found;
  for (std::size_t at = svg.find(start); at != std::string::npos; at = svg.find(start, at + 1)) {
    const std::size_t data = svg.find(" d=\"", at) + 4;
    const std::string path = svg.substr(data, svg.find('"', data) - data);
    if (path.find('h') == std::string::npos) found.push_back(path);
  }
  return found;
}

struct Point {
  double x, y;
};

std::vector<Point> points(std::string curve) {
  for (char& c : curve)
    if (c == 'M' || c == 'L') c = ' ';
  std::istringstream in(curve);
  std::vector<Point> found;
  for (Point point{}; in >> point.x >> point.y;) found.push_back(point);
  return found;
}

/// Every element closed: `<a/>`, `<a>text</a>`, nested properly.
bool balanced(const std::string& svg) {
  std::vector<std::string> open;
  for (std::size_t at = svg.find('<'); at != std::string::npos; at = svg.find('<', at + 1)) {
    const std::size_t end = svg.find('>', at);
    if (end == std::string::npos || svg.find('<', at + 1) < end) return false;
    if (svg[end - 1] == '/') continue;
    const bool closes = svg[at + 1] == '/';
    const std::size_t name = at + (closes ? 2 : 1);
    const std::string element = svg.substr(name, svg.find_first_of(" >", name) - name);
    if (!closes) {
      open.push_back(element);
    } else if (open.empty() || open.back() != element) {
      return false;
    } else {
      open.pop_back();
    }
  }
  return open.empty();
}

}  // namespace

TEST_CASE("ticks are round and span the range", "[curves]") {
  using Ticks = std::vector<double>;
  CHECK(glia::round_ticks(0, 1, 5) == Ticks{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1});
  CHECK(glia::round_ticks(1, 5, 6, true) == Ticks{1, 2, 3, 4, 5});
  CHECK(glia::round_ticks(1, 2, 6, true) == Ticks{1, 2});
  for (const auto& [low, high] : std::vector<std::pair<double, double>>{
           {0.36, 1.02}, {-3e-7, 2e-7}, {1e6, 1e6 + 3}, {7, 7}, {0, 0}, {-5, -5}, {1e300, 2e300}}) {
    const Ticks ticks = glia::round_ticks(low, high, 5);
    CAPTURE(low, high);
    REQUIRE(ticks.size() >= 2);
    CHECK(ticks.size() <= 13);
    CHECK(ticks.front() <= low + 1e-9 * std::abs(low));
    CHECK(ticks.back() >= high - 1e-9 * std::abs(high));
    CHECK(std::is_sorted(ticks.begin(), ticks.end()));
  }
}

TEST_CASE("curves rise and fall as their values do", "[curves]") {
  const std::vector<EpochRow> rows{{1, 0.9, 0.8, 0.3, 0.2, 0.3, 0.4},
                                   {2, 0.5, 0.6, 0.5, 0.4, 0.5, 0.6},
                                   {3, 0.3, 0.7, 0.7, 0.3, 0.4, 0.7}};
  const std::string svg =
      glia::learning_curves_svg(rows, "-log(IoU)", glia::BestEpoch{2, "batch IoU 0.400"});
  CHECK(balanced(svg));
  const std::vector<std::string> found = curves(svg);
  REQUIRE(found.size() == 6);
  const auto train_loss = points(found[0]), val_loss = points(found[1]), val_iou = points(found[3]);
  REQUIRE(train_loss.size() == 3);
  CHECK(train_loss[0].x < train_loss[1].x);
  CHECK(train_loss[0].y < train_loss[1].y);  // y points down
  CHECK(train_loss[1].y < train_loss[2].y);
  CHECK(val_loss[1].y > val_loss[2].y);
  CHECK(val_iou[1].y < val_iou[0].y);
  CHECK(val_iou[1].y < val_iou[2].y);
  CHECK(points(found[4])[1].y < val_iou[1].y);           // thresholded, it is higher
  CHECK(points(found[5])[2].y < points(found[5])[1].y);  // and Dice rises to the end
  CHECK(svg.find("Best epoch 2: batch IoU 0.400") != std::string::npos);
  for (const char* name : {"validation", "at 0.5", "Dice"})
    CHECK(svg.find(">" + std::string(name) + "</text>") != std::string::npos);
  CHECK(svg.find(">-log(IoU)</text>") != std::string::npos);
  CHECK(svg.find("prefers-color-scheme: dark") != std::string::npos);
}

TEST_CASE("an IoU is drawn on the axis from 0 to 1", "[curves]") {
  const std::vector<EpochRow> rows{{1, 1, 1, 0, 0.5}, {2, 1, 1, 1, 0.5}};
  const auto found = curves(glia::learning_curves_svg(rows, "loss", {}));
  REQUIRE(found.size() == 4);
  const auto train = points(found[2]), validation = points(found[3]);
  CHECK(validation[0].y == Approx((train[0].y + train[1].y) / 2).margin(0.02));
}

TEST_CASE("one epoch is a mark, none is an empty chart", "[curves]") {
  const std::vector<EpochRow> one{{1, 0.5, 0.4, kNan, 0.6}};
  const std::string svg = glia::learning_curves_svg(one, "loss", {});
  CHECK(balanced(svg));
  CHECK(occurrences(svg, "nan") == 0);
  CHECK(occurrences(svg, "inf") == 0);
  // Three curves, each with a mark, and three entries of the legend, each with a mark.
  CHECK(occurrences(svg, "class=\"mark") == 6);
  const std::string empty = glia::learning_curves_svg({}, "loss", {});
  CHECK(balanced(empty));
  CHECK(occurrences(empty, "nan") == 0);
  CHECK(occurrences(empty, "class=\"mark") == 0);
}

TEST_CASE("values that are not finite leave a gap", "[curves]") {
  const LineChart chart{
      .title = "t",
      .x_label = "x",
      .y_label = "y",
      .series = {{"a", {1, 2, 3, 4, 5}, {1, 2, kNan, 4, kInfinity}}, {"b", {1, 2}, {kNan, kNan}}}};
  const std::string svg = glia::to_svg({&chart, 1});
  CHECK(balanced(svg));
  CHECK(occurrences(svg, "nan") == 0);
  CHECK(occurrences(svg, "inf") == 0);
  const auto found = curves(svg);
  REQUIRE(found.size() == 1);
  CHECK(occurrences(found[0], "M") == 2);
  CHECK(points(found[0]).size() == 3);
  CHECK(svg.find("b (no values)") != std::string::npos);
}

TEST_CASE("lines stay inside their panel", "[curves]") {
  const LineChart chart{.title = "t",
                        .x_label = "x",
                        .y_label = "y",
                        .series = {{"a", {3, 4, 900}, {-50, 0.5, 50}}},
                        .y_range = std::pair{0.0, 1.0}};
  const auto found = curves(glia::to_svg({&chart, 1}));
  REQUIRE(found.size() == 1);
  for (const Point& point : points(found[0])) {
    CHECK((point.x >= 0 && point.x <= 460));
    CHECK((point.y >= 60 && point.y <= 300));
  }
}

TEST_CASE("a spread is a bar at each of a few points, a band along many", "[curves]") {
  LineChart chart{.title = "t",
                  .x_label = "x",
                  .y_label = "y",
                  .series = {{.name = "a",
                              .x = {4, 6, 12},
                              .y = {0.5, 0.6, 0.3},
                              .low = {0.4, kNan, 0.1},
                              .high = {0.6, 0.7, 0.9}}}};
  std::string svg = glia::to_svg({&chart, 1});
  CHECK(balanced(svg));
  CHECK(occurrences(svg, "class=\"bar s0\"") == 2);  // the NaN has none
  CHECK(occurrences(svg, "class=\"band") == 0);
  CHECK(occurrences(svg, "nan") == 0);
  glia::Series& series = chart.series[0];
  for (int i = 13; i < 60; ++i) {
    series.x.push_back(i);
    series.y.push_back(0.5);
    series.low.push_back(0.4);
    series.high.push_back(0.6);
  }
  svg = glia::to_svg({&chart, 1});
  CHECK(balanced(svg));
  CHECK(occurrences(svg, "class=\"bar") == 0);
  CHECK(occurrences(svg, "class=\"band m0\"") == 1);
  // The axis holds the spread: 0.9 lies above every y.
  CHECK(occurrences(svg, ">1</text>") == 1);
}

TEST_CASE("dots have no line but a name each", "[curves]") {
  const LineChart chart{.title = "t",
                        .x_label = "x",
                        .y_label = "y",
                        .series = {{.name = "a",
                                    .x = {1, 2, 3},
                                    .y = {1, kNan, 3},
                                    .dots = true,
                                    .titles = {"p<1>", "p2", "p3"}}}};
  const std::string svg = glia::to_svg({&chart, 1});
  CHECK(balanced(svg));
  CHECK(curves(svg).empty());
  CHECK(occurrences(svg, "<title>p&lt;1&gt;</title>") == 1);
  CHECK(occurrences(svg, "<title>p2</title>") == 0);
  CHECK(occurrences(svg, "class=\"mark m0\"") == 3);  // two and the legend's
}

TEST_CASE("the diagonal, a marked x and points beyond the axis", "[curves]") {
  const LineChart chart{.title = "t",
                        .x_label = "x",
                        .y_label = "y",
                        .series = {{"a", {-1, 0.25, 0.75, 2}, {0.5, 0.25, 0.75, 0.5}}},
                        .y_range = std::pair{0.0, 1.0},
                        .x_range = std::pair{0.0, 1.0},
                        .diagonal = true,
                        .mark_x = 0.5};
  const std::string svg = glia::to_svg({&chart, 1});
  CHECK(occurrences(svg, "class=\"axis rule\"") == 2);
  const auto found = curves(svg);
  REQUIRE(found.size() == 1);
  const auto inside = points(found[0]);
  REQUIRE(inside.size() == 2);
  // On the diagonal: from the lower left to the upper right corner of the same plot.
  const std::size_t at = svg.find("class=\"axis rule\" d=\"") + 21;
  const auto ends = points(svg.substr(at, svg.find('"', at) - at));
  REQUIRE(ends.size() == 2);
  CHECK(inside[0].x == Approx(ends[0].x + 0.25 * (ends[1].x - ends[0].x)).margin(0.1));
  CHECK(inside[0].y == Approx(ends[0].y + 0.25 * (ends[1].y - ends[0].y)).margin(0.1));
}

TEST_CASE("text is escaped", "[curves]") {
  const LineChart chart{.title = "a<b & \"c\"\x01",
                        .x_label = "</svg>",
                        .y_label = "y",
                        .series = {{"<script>", {1, 2}, {1, 2}}}};
  const std::string svg = glia::to_svg({&chart, 1});
  CHECK(balanced(svg));
  CHECK(svg.find("a&lt;b &amp; \"c\" </text>") != std::string::npos);
  CHECK(svg.find("<script") == std::string::npos);
  CHECK(occurrences(svg, "</svg>") == 1);
}

TEST_CASE("charts that cannot be drawn are refused", "[curves]") {
  const LineChart uneven{.title = "t", .x_label = "", .y_label = "", .series = {{"a", {1}, {}}}};
  const LineChart crowded{
      .title = "t", .x_label = "", .y_label = "", .series = std::vector<glia::Series>(5)};
  CHECK_THROWS_AS(glia::to_svg({}), glia::Error);
  CHECK_THROWS_AS(glia::to_svg({&uneven, 1}), glia::Error);
  CHECK_THROWS_AS(glia::to_svg({&crowded, 1}), glia::Error);
  LineChart half{.title = "t", .x_label = "", .y_label = "", .series = {{"a", {1}, {1}, {0}}}};
  CHECK_THROWS_AS(glia::to_svg({&half, 1}), glia::Error);
  half.series[0].high = {2};
  half.series[0].titles = {"one", "two"};
  CHECK_THROWS_AS(glia::to_svg({&half, 1}), glia::Error);
}
