// Files of an evaluation: JSON with null for what is undefined, tables that a spreadsheet reads.
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "engine/metrics/evaluation_files.h"
#include "tests/catch.h"

namespace {

std::vector<std::string> lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> found;
  for (std::string line; std::getline(in, line);) found.push_back(line);
  return found;
}

}  // namespace

TEST_CASE("JSON holds null for what is undefined", "[metrics]") {
  glia::Evaluation evaluation;
  evaluation.add("7", "p", {.tn = 4});
  evaluation.add("8", "", {.tp = 1, .tn = 3}, 0.5);
  const nlohmann::json json = evaluation_json(evaluation, evaluation.summary());
  CHECK(json["per_slice"]["dice"]["mean"] == 1.0);
  CHECK(json["per_slice"]["dice"]["undefined"] == 1);
  CHECK_FALSE(json["per_slice"]["dice"].contains("interval"));
  CHECK(json["per_slice"]["hd95"]["mean"] == 0.5);
  CHECK(json["per_patient"]["dice"]["mean"].is_null());
  CHECK(json["batch_iou"].is_null());
  CHECK(json["distance_unit"] == "pixels");
  CHECK(json["number_of"]["slices_both_empty"] == 1);
  REQUIRE(json["slices"].size() == 2);
  CHECK(json["slices"][0]["dice"].is_null());
  CHECK(json["slices"][0]["patient"] == "p");
  CHECK(json["slices"][1]["patient"].is_null());
  CHECK(json["slices"][1]["counts"]["tp"] == 1);
  REQUIRE(json["patients"].size() == 1);
  CHECK(json["patients"][0]["slices"] == 1);
}

TEST_CASE("JSON has intervals, thresholds and calibration", "[metrics]") {
  glia::Evaluation evaluation;
  evaluation.add("1", "a", {.tp = 1, .tn = 1});
  evaluation.add("2", "b", {.fp = 1, .tn = 1});
  glia::Summary summary = evaluation.summary();
  add_intervals(summary, evaluation, {});
  const nlohmann::json json = summary_json(summary);
  CHECK(json["per_patient"]["dice"]["interval"] == nlohmann::json{0.0, 1.0});

  glia::ThresholdCurve curve;
  glia::Calibration calibration;
  CHECK(threshold_json(curve)["best"].is_null());
  CHECK(calibration_json(calibration)["brier"].is_null());
  curve.add("", std::vector<float>{0.6F}, std::vector<float>{1});
  calibration.add(std::vector<float>{0.6F}, std::vector<float>{1});
  CHECK(threshold_json(curve)["points"].size() == 99);
  CHECK(threshold_json(curve)["best"]["threshold"] == 0.01);
  CHECK(calibration_json(calibration)["bins"][6]["pixels"] == 1);
  CHECK(calibration_json(calibration)["bins"][5]["tumour_share"].is_null());
}

TEST_CASE("tables have a line a case, empty cells and quoted names", "[metrics]") {
  glia::Evaluation evaluation;
  evaluation.add("a slice, \"quoted\"", "p.1", {.tp = 1, .fp = 1, .tn = 2}, 2.5);
  evaluation.add("plain", "p.1", {.tn = 4});
  const auto slices = lines(slices_csv(evaluation));
  REQUIRE(slices.size() == 3);
  CHECK(slices[0] ==
        "slice,patient,tp,fp,fn,tn,dice,iou,precision,sensitivity,specificity,pixel_accuracy,"
        "volume_error,absolute_volume_error,hd95");
  CHECK(slices[1].rfind("\"a slice, \"\"quoted\"\"\",p.1,1,1,0,2,0.6666666666666666,0.5,0.5,1,",
                        0) == 0);
  CHECK(slices[1].substr(slices[1].size() - 4) == ",2.5");
  CHECK(slices[2] == "plain,p.1,0,0,0,4,,,,,1,1,,,");
  const auto patients = lines(patients_csv(evaluation));
  REQUIRE(patients.size() == 2);
  CHECK(patients[1].rfind("p.1,2,1,1,0,6,", 0) == 0);
}
