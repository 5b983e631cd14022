#include "engine/train/metrics.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "engine/base/check.h"

namespace glia {

namespace {

using nlohmann::json;

std::optional<double> ratio(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

/// A score: where it comes from, where its average goes.
struct Score {
  const char* name;
  const char* label;
  std::optional<double> (Counts::*of)() const;
  Average Scores::*average;
};

constexpr std::array<Score, 7> kScores{{
    {"dice", "Dice", &Counts::dice, &Scores::dice},
    {"iou", "IoU", &Counts::iou, &Scores::iou},
    {"precision", "precision", &Counts::precision, &Scores::precision},
    {"sensitivity", "sensitivity", &Counts::sensitivity, &Scores::sensitivity},
    {"specificity", "specificity *", &Counts::specificity, &Scores::specificity},
    {"pixel_accuracy", "pixel accuracy *", &Counts::pixel_accuracy, &Scores::pixel_accuracy},
    {"volume_error", "volume error", &Counts::volume_error, &Scores::volume_error},
}};

Scores average(std::span<const Case> cases) {
  Scores scores;
  for (const Score& score : kScores) {
    Average& average = scores.*score.average;
    double sum = 0;
    for (const Case& item : cases) {
      if (const auto value = (item.counts.*score.of)()) {
        sum += *value;
        ++average.defined;
      } else {
        ++average.undefined;
      }
    }
    if (average.defined > 0) average.mean = sum / static_cast<double>(average.defined);
  }
  return scores;
}

json number(const std::optional<double>& value) {
  return value ? json(*value) : json(nullptr);
}

json averages(const Scores& scores) {
  json object;
  for (const Score& score : kScores) {
    const Average& average = scores.*score.average;
    object[score.name] = {{"mean", number(average.mean)},
                          {"defined", average.defined},
                          {"undefined", average.undefined}};
  }
  return object;
}

json counts_json(const Counts& counts) {
  return {{"tp", counts.tp}, {"fp", counts.fp}, {"fn", counts.fn}, {"tn", counts.tn}};
}

json case_json(const Case& item) {
  json object = {{"id", item.id}, {"counts", counts_json(item.counts)}};
  for (const Score& score : kScores) object[score.name] = number((item.counts.*score.of)());
  return object;
}

std::string text(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : "-";
}

}  // namespace

Counts& Counts::operator+=(const Counts& other) {
  tp += other.tp;
  fp += other.fp;
  fn += other.fn;
  tn += other.tn;
  return *this;
}

std::optional<double> Counts::dice() const {
  return ratio(2 * tp, 2 * tp + fp + fn);
}
std::optional<double> Counts::iou() const {
  return ratio(tp, tp + fp + fn);
}
std::optional<double> Counts::precision() const {
  return ratio(tp, tp + fp);
}
std::optional<double> Counts::sensitivity() const {
  return ratio(tp, tp + fn);
}
std::optional<double> Counts::specificity() const {
  return ratio(tn, tn + fp);
}
std::optional<double> Counts::pixel_accuracy() const {
  return ratio(tp + tn, total());
}
std::optional<double> Counts::volume_error() const {
  return ratio(fp - fn, tp + fn);
}

void Evaluation::add(std::string slice, std::string patient, const Counts& counts) {
  check(counts.tp >= 0 && counts.fp >= 0 && counts.fn >= 0 && counts.tn >= 0 && counts.total() > 0,
        "evaluation: slice {}: the counts tp {}, fp {}, fn {}, tn {} must not be negative and must "
        "cover at least one pixel",
        slice, counts.tp, counts.fp, counts.fn, counts.tn);
  slices_.push_back({std::move(slice), std::move(patient), counts});
}

void Evaluation::add_batch_iou(double intersection, double union_, const Counts& counts) {
  constexpr double kSmooth = 1;
  batch_iou_ += (intersection + kSmooth) / (union_ + kSmooth);
  batch_iou_thresholded_ += (static_cast<double>(counts.tp) + kSmooth) /
                            (static_cast<double>(counts.tp + counts.fp + counts.fn) + kSmooth);
  ++batches_;
}

std::vector<Case> Evaluation::patients() const {
  std::vector<Case> patients;
  std::map<std::string, std::size_t> index;
  for (const Case& slice : slices_) {
    if (slice.patient.empty()) continue;
    const auto [place, is_new] = index.emplace(slice.patient, patients.size());
    if (is_new) patients.push_back({slice.patient, slice.patient, {}, 0});
    Case& patient = patients[place->second];
    patient.counts += slice.counts;
    ++patient.slices;
  }
  return patients;
}

Summary Evaluation::summary() const {
  Summary summary;
  const std::vector<Case> patients = this->patients();
  summary.slices = static_cast<std::int64_t>(slices_.size());
  summary.patients = static_cast<std::int64_t>(patients.size());
  for (const Case& slice : slices_) {
    const Counts& counts = slice.counts;
    summary.counts += counts;
    summary.slices_of_unknown_patient += slice.patient.empty();
    ++(counts.truth_empty() ? summary.slices_without_tumour : summary.slices_with_tumour);
    summary.slices_both_empty += counts.truth_empty() && counts.prediction_empty();
    summary.slices_missed += !counts.truth_empty() && counts.prediction_empty();
    summary.slices_false_positive += counts.truth_empty() && !counts.prediction_empty();
  }
  summary.per_slice = average(slices_);
  summary.per_patient = average(patients);
  summary.pooled = average(std::array{Case{"", "", summary.counts, summary.slices}});
  summary.false_positive_rate = ratio(summary.slices_false_positive, summary.slices_without_tumour);
  summary.batches = batches_;
  if (batches_ > 0) {
    summary.batch_iou = batch_iou_ / static_cast<double>(batches_);
    summary.batch_iou_thresholded = batch_iou_thresholded_ / static_cast<double>(batches_);
  }
  return summary;
}

json Evaluation::to_json() const {
  json object = summary_json(summary());
  json& patients = object["patients"] = json::array();
  for (const Case& patient : this->patients()) {
    patients.push_back(case_json(patient));
    patients.back()["slices"] = patient.slices;
  }
  json& slices = object["slices"] = json::array();
  for (const Case& slice : slices_) {
    slices.push_back(case_json(slice));
    slices.back()["patient"] = slice.patient.empty() ? json(nullptr) : json(slice.patient);
  }
  return object;
}

json summary_json(const Summary& summary) {
  return {
      {"per_slice", averages(summary.per_slice)},
      {"per_patient", averages(summary.per_patient)},
      {"pooled", averages(summary.pooled)},
      {"batch_iou", number(summary.batch_iou)},
      {"batch_iou_thresholded", number(summary.batch_iou_thresholded)},
      {"false_positive_rate", number(summary.false_positive_rate)},
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

std::string format_table(const Summary& summary) {
  std::string table = fmt::format("{:<18}{:>10}{:>7}{:>13}{:>7}{:>11}\n", "", "per slice", "n",
                                  "per patient", "n", "all pixels");
  for (const Score& score : kScores) {
    const Average& slice = summary.per_slice.*score.average;
    const Average& patient = summary.per_patient.*score.average;
    const Average& pooled = summary.pooled.*score.average;
    table += fmt::format("{:<18}{:>10}{:>7}{:>13}{:>7}{:>11}\n", score.label, text(slice.mean),
                         slice.defined, text(patient.mean), patient.defined, text(pooled.mean));
  }
  table +=
      "n: units for which the score is defined. *: trivially high, most pixels are background\n";
  table += fmt::format("batch IoU         {:>10}  over probabilities, smooth 1; batches: {}\n",
                       text(summary.batch_iou), summary.batches);
  table += fmt::format("                  {:>10}  the same, thresholded\n",
                       text(summary.batch_iou_thresholded));
  table +=
      fmt::format("slices            {:>10}  of {} patients\n", summary.slices, summary.patients);
  table += fmt::format("  with tumour     {:>10}  in {} of them nothing was predicted (Dice 0)\n",
                       summary.slices_with_tumour, summary.slices_missed);
  table += fmt::format(
      "  without tumour  {:>10}  in {} of them something was predicted (Dice 0): false-positive "
      "rate {}\n",
      summary.slices_without_tumour, summary.slices_false_positive,
      text(summary.false_positive_rate));
  table += fmt::format("  both empty      {:>10}  Dice and IoU undefined, left out of the means\n",
                       summary.slices_both_empty);
  if (summary.slices_of_unknown_patient > 0) {
    table += fmt::format("  patient unknown {:>10}  left out of the per-patient column\n",
                         summary.slices_of_unknown_patient);
  }
  return table;
}

}  // namespace glia
