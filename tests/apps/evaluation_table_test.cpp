// What an evaluation says on a terminal.
#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "apps/terminal/evaluation_table.h"
#include "engine/metrics/bootstrap.h"
#include "tests/catch.h"

namespace {

bool contains(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

/// Characters of the longest line.
std::size_t width_of(const std::string& text) {
  std::size_t most = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) most = std::max(most, line.size());
  return most;
}

}  // namespace

TEST_CASE("the table names its averages and shows what is undefined", "[metrics]") {
  glia::Evaluation evaluation;
  const std::string empty = format_table(evaluation.summary());
  CHECK(contains(empty, "per patient"));
  CHECK_FALSE(contains(empty, "nan"));
  evaluation.add("1", "a", {.tp = 1, .fp = 1, .tn = 2}, 1.25);
  evaluation.add("2", "", {.fp = 1, .tn = 3});
  const std::string table = format_table(evaluation.summary());
  CHECK(contains(table, "0.3333"));                      // per slice Dice: (2/3 + 0) / 2
  CHECK(contains(table, "0.6667"));                      // per patient Dice
  CHECK(contains(table, "false positives     1.0000"));  // one without tumour, predicted
  CHECK(contains(table, "patient unknown"));
  CHECK(contains(table, "HD95 (pixels)       1.2500"));
  CHECK(contains(table, "needs at least two patients"));
}

TEST_CASE("the table has the interval of the mean over patients", "[metrics]") {
  glia::Evaluation evaluation("mm");
  evaluation.add("1", "a", {.tp = 1, .tn = 2}, 1.5);
  evaluation.add("2", "b", {.fp = 1, .tn = 3}, 2.5);
  glia::Summary summary = evaluation.summary();
  add_intervals(summary, evaluation, {});
  const std::string table = format_table(summary);
  CHECK(contains(table, "0.000 to 1.000"));
  CHECK(contains(table, "HD95 (mm)"));
  CHECK(contains(table, "by bootstrap over patients"));
  CHECK(width_of(table) < 80);
}

TEST_CASE("threshold and calibration are two lines, or none", "[metrics]") {
  glia::ThresholdCurve curve;
  glia::Calibration calibration;
  CHECK(format_details(curve, calibration).empty());
  curve.add("a", std::vector<float>{0.3F, 0.8F}, std::vector<float>{0, 1});
  calibration.add(std::vector<float>{0.3F, 0.8F}, std::vector<float>{0, 1});
  const std::string lines = format_details(curve, calibration);
  CHECK(contains(lines, "0.30  Dice per patient 1.0000"));
  CHECK(contains(lines, "0.2500  over all pixels; 0.2500 from probability 0.1"));
  CHECK(width_of(lines) < 80);
}
