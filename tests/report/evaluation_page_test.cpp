// The page of an evaluation and of a run, and the charts on them, read back from their text.
#include <string>
#include <vector>

#include "engine/metrics/bootstrap.h"
#include "engine/report/evaluation_charts.h"
#include "engine/report/evaluation_page.h"
#include "engine/report/run_page.h"
#include "tests/catch.h"
#include "tests/report/occurrences.h"

namespace {

using glia::Evaluation;
using glia::test::occurrences;

Evaluation small_evaluation() {
  Evaluation evaluation;
  evaluation.add("11", "a", {.tp = 8, .fp = 2, .fn = 2, .tn = 88}, 1.5);
  evaluation.add("12", "a", {.tn = 100});
  evaluation.add("21", "b", {.fp = 5, .tn = 95}, 20.0);
  evaluation.add("22", "b", {.tp = 3, .fn = 3, .tn = 94}, 4.0);
  return evaluation;
}

}  // namespace

TEST_CASE("cases are drawn worst first, each by name, those without a Dice left out", "[report]") {
  const glia::LineChart chart = glia::dice_chart(small_evaluation().slices(), "slice");
  REQUIRE(chart.series.size() == 1);
  const glia::Series& series = chart.series[0];
  CHECK(series.y == std::vector<double>{0, 2.0 / 3, 0.8});
  CHECK(series.x == std::vector<double>{1, 2, 3});
  CHECK(series.titles[0] == "slice 21: 0.0000");
  CHECK(series.dots);
  CHECK(glia::dice_chart({}, "patient").series[0].x.empty());
}

TEST_CASE("a chart of thresholds has three averages and marks the one in use", "[report]") {
  glia::ThresholdCurve curve;
  curve.add("a", std::vector<float>{0.9F, 0.1F}, std::vector<float>{1, 0});
  const glia::LineChart chart = glia::threshold_chart(curve, 0.3);
  REQUIRE(chart.series.size() == 3);
  CHECK(chart.mark_x == 0.3);
  for (const glia::Series& series : chart.series) {
    CHECK(series.x.size() == 99);
    CHECK(series.y[50] == 1);
    CHECK(series.y[98] == 0);
  }
  CHECK(occurrences(glia::to_svg({&chart, 1}), "axis rule") == 1);
}

TEST_CASE("the reliability chart leaves empty bins out", "[report]") {
  glia::Calibration calibration;
  calibration.add(std::vector<float>{0.05F, 0.85F, 0.85F}, std::vector<float>{0, 1, 0});
  const glia::LineChart chart = glia::reliability_chart(calibration);
  CHECK(chart.series[0].x.size() == 2);
  CHECK(chart.series[0].y[1] == 0.5);
  CHECK(chart.diagonal);
  CHECK(occurrences(glia::to_svg({&chart, 1}), "2 pixels") == 1);
}

TEST_CASE("the page of an evaluation shows scores, cases, provenance and limits", "[report]") {
  const Evaluation evaluation = small_evaluation();
  glia::Summary summary = evaluation.summary();
  add_intervals(summary, evaluation, {});
  const glia::EvaluationPage page{
      .title = "Evaluation",
      .warnings = {"slices of one patient may stand on both sides"},
      .evaluation = evaluation,
      .summary = summary,
      .thresholds = {},
      .calibration = {},
      .more_tables = {{"More", "text", {.head = {"way"}, .rows = {{"flips"}}}}},
      .cases = {{"The worst slices", "", {{"png", "slice 21"}, {"png", "slice 22"}}},
                {"Nobody", "", {}}},
      .provenance = {{"The model", "", {{"checkpoint", "runs/first/best.safetensors"}}}}};
  const std::string html = page.html();
  CHECK(occurrences(html, "class=\"alert\"") == 1);
  CHECK(occurrences(html, "slices of one patient may stand on both sides") == 1);
  CHECK(occurrences(html, "data:image/png;base64,") == 2);
  CHECK(occurrences(html, "Nobody") == 0);
  CHECK(occurrences(html, ">flips<") == 1);
  CHECK(occurrences(html, "runs/first/best.safetensors") == 1);
  CHECK(occurrences(html, "not a medical device") == 1);
  CHECK(occurrences(html, "<svg") == 2);
  CHECK(occurrences(html, "</svg>") == 2);
  CHECK(occurrences(html, "HD95 (pixels)") == 3);  // scores, patients, slices
  // Dice of the patients: 16/20 and 6/14 (2 * 3 over 2 * 3 + 5 + 3).
  CHECK(occurrences(html, "<td>0.6143</td>") == 1);
  CHECK(occurrences(html, "nan") == 0);
}

TEST_CASE("the page of a run grows with its epochs", "[report]") {
  glia::RunPage page{.title = "Training run first",
                     .state = "Running: 0 of 2 epochs done.",
                     .running = true,
                     .loss_name = "-log(IoU)",
                     .settings = {{"train", {{"epochs", 2}}}}};
  CHECK(occurrences(page.html(), "http-equiv=\"refresh\"") == 1);
  CHECK(occurrences(page.html(), "<svg") == 0);
  page.curves.push_back({1, 0.9, 0.8, 0.3, 0.4});
  page.epochs.push_back({{"epoch", 1}, {"train_loss", 0.912345}, {"collapsed", false}});
  page.warnings.push_back("the network has collapsed");
  page.running = false;
  const std::string html = page.html();
  CHECK(occurrences(html, "http-equiv") == 0);
  CHECK(occurrences(html, "<svg") == 1);
  CHECK(occurrences(html, ">train loss<") == 1);
  CHECK(occurrences(html, ">0.9123<") == 1);
  CHECK(occurrences(html, ">false<") == 1);
  CHECK(occurrences(html, "the network has collapsed") == 1);
  CHECK(occurrences(html, ">train.epochs<") == 1);
}
