#include "engine/metrics/evaluation_files.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/base/csv.h"

namespace glia {

namespace {

using Json = nlohmann::ordered_json;

Json number(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json average_json(const Average& average) {
  Json json = {{"mean", number(average.mean)},
               {"defined", average.defined},
               {"undefined", average.undefined}};
  if (average.interval) json["interval"] = {average.interval->low, average.interval->high};
  return json;
}

Json averages(const Scores& scores) {
  Json json;
  for (const Score& score : all_scores()) json[score.name] = average_json(scores.*score.average);
  return json;
}

Json counts_json(const Counts& counts) {
  return {{"tp", counts.tp}, {"fp", counts.fp}, {"fn", counts.fn}, {"tn", counts.tn}};
}

Json case_json(const Case& item) {
  Json json = {{"id", item.id}, {"counts", counts_json(item.counts)}};
  for (const Score& score : all_scores()) json[score.name] = number(score.of(item));
  return json;
}

std::string csv_header(const char* first, const char* second) {
  std::string line = fmt::format("{},{},tp,fp,fn,tn", first, second);
  for (const Score& score : all_scores()) line += fmt::format(",{}", score.name);
  return line + "\n";
}

std::string csv_line(const Case& item, const std::string& first, const std::string& second) {
  const Counts& c = item.counts;
  std::string line =
      fmt::format("{},{},{},{},{},{}", csv_cell(first), csv_cell(second), c.tp, c.fp, c.fn, c.tn);
  for (const Score& score : all_scores()) {
    const auto value = score.of(item);
    line += value ? fmt::format(",{}", *value) : ",";
  }
  return line + "\n";
}

}  // namespace

Json summary_json(const Summary& summary) {
  return {
      {"per_slice", averages(summary.per_slice)},
      {"per_patient", averages(summary.per_patient)},
      {"pooled", averages(summary.pooled)},
      {"distance_unit", summary.distance_unit},
      {"batch_iou", number(summary.batch_iou)},
      {"batch_iou_thresholded", number(summary.batch_iou_thresholded)},
      {"batch_dice_thresholded", number(summary.batch_dice_thresholded)},
      {"false_positive_rate", average_json(summary.false_positive_rate)},
      {"pixels", counts_json(summary.counts)},
      {"number_of",
       {{"batches", summary.batches},
        {"slices", summary.slices},
        {"patients", summary.patients},
        {"slices_of_unknown_patient", summary.slices_of_unknown_patient},
        {"slices_with_tumour", summary.slices_with_tumour},
        {"slices_without_tumour", summary.slices_without_tumour},
        {"slices_both_empty", summary.slices_both_empty},
        {"slices_missed", summary.slices_missed},
        {"slices_false_positive", summary.slices_false_positive}}},
  };
}

Json evaluation_json(const Evaluation& evaluation, const Summary& summary) {
  Json json = summary_json(summary);
  Json& patients = json["patients"] = Json::array();
  for (const Case& patient : evaluation.patients()) {
    patients.push_back(case_json(patient));
    patients.back()["slices"] = patient.slices;
  }
  Json& slices = json["slices"] = Json::array();
  for (const Case& slice : evaluation.slices()) {
    slices.push_back(case_json(slice));
    slices.back()["patient"] = slice.patient.empty() ? Json(nullptr) : Json(slice.patient);
  }
  return json;
}

Json calibration_json(const Calibration& calibration) {
  Json bins = Json::array();
  for (const Calibration::Bin& bin : calibration.bins())
    bins.push_back({{"pixels", bin.pixels},
                    {"mean_probability", number(bin.mean_probability())},
                    {"tumour_share", number(bin.tumour_share())}});
  return {{"expected_error", number(calibration.expected_error())},
          {"expected_error_above_lowest", number(calibration.expected_error_above_lowest())},
          {"brier", number(calibration.brier())},
          {"bins", bins}};
}

Json threshold_json(const ThresholdCurve& curve) {
  const auto point_json = [](const ThresholdCurve::Point& point) {
    return Json{{"threshold", point.threshold},
                {"dice_per_slice", number(point.per_slice)},
                {"dice_per_patient", number(point.per_patient)},
                {"dice_pooled", number(point.pooled)}};
  };
  const auto best = curve.best();
  Json json = {{"best", best ? point_json(*best) : Json(nullptr)}, {"points", Json::array()}};
  for (const ThresholdCurve::Point& point : curve.points())
    json["points"].push_back(point_json(point));
  return json;
}

std::string slices_csv(const Evaluation& evaluation) {
  std::string csv = csv_header("slice", "patient");
  for (const Case& slice : evaluation.slices()) csv += csv_line(slice, slice.id, slice.patient);
  return csv;
}

std::string patients_csv(const Evaluation& evaluation) {
  std::string csv = csv_header("patient", "slices");
  for (const Case& patient : evaluation.patients())
    csv += csv_line(patient, patient.id, std::to_string(patient.slices));
  return csv;
}

}  // namespace glia
