#include "engine/report/evaluation_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace glia {

namespace {

constexpr std::pair<double, double> kUnit{0.0, 1.0};

double or_gap(const std::optional<double>& value) {
  return value.value_or(std::numeric_limits<double>::quiet_NaN());
}

}  // namespace

LineChart dice_chart(std::span<const Case> cases, const std::string& unit) {
  std::vector<std::pair<double, std::string>> values;
  for (const Case& item : cases)
    if (const auto dice = item.counts.dice()) values.emplace_back(*dice, item.id);
  std::stable_sort(values.begin(), values.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  Series series{.name = fmt::format("one {}", unit), .dots = true};
  for (const auto& [dice, id] : values) {
    series.x.push_back(static_cast<double>(series.x.size() + 1));
    series.y.push_back(dice);
    series.titles.push_back(fmt::format("{} {}: {:.4f}", unit, id, dice));
  }
  return {.title = fmt::format("Dice by {}, worst first", unit),
          .x_label = fmt::format("{}s, of {} with a Dice", unit, values.size()),
          .y_label = "Dice",
          .series = {series},
          .y_range = kUnit,
          .whole_x = true};
}

LineChart threshold_chart(const ThresholdCurve& curve, double threshold) {
  Series slice{.name = "per slice"}, patient{.name = "per patient"}, pooled{.name = "all pixels"};
  for (const ThresholdCurve::Point& point : curve.points()) {
    for (Series* series : {&slice, &patient, &pooled}) series->x.push_back(point.threshold);
    slice.y.push_back(or_gap(point.per_slice));
    patient.y.push_back(or_gap(point.per_patient));
    pooled.y.push_back(or_gap(point.pooled));
  }
  return {.title = fmt::format("Dice by threshold ({} was used)", threshold),
          .x_label = "probability above which a pixel is tumour",
          .y_label = "mean Dice",
          .series = {slice, patient, pooled},
          .y_range = kUnit,
          .x_range = kUnit,
          .mark_x = threshold};
}

LineChart reliability_chart(const Calibration& calibration) {
  Series series{.name = "pixels of one bin"};
  for (const Calibration::Bin& bin : calibration.bins()) {
    if (bin.pixels == 0) continue;
    series.x.push_back(*bin.mean_probability());
    series.y.push_back(*bin.tumour_share());
    series.titles.push_back(fmt::format("{} pixels", bin.pixels));
  }
  return {.title = "Reliability",
          .x_label = "predicted probability, mean of a bin",
          .y_label = "share of tumour",
          .series = {series},
          .y_range = kUnit,
          .x_range = kUnit,
          .diagonal = true};
}

}  // namespace glia
