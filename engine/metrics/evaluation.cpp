#include "engine/metrics/evaluation.h"

#include <array>
#include <map>
#include <span>
#include <utility>

#include "engine/base/check.h"

namespace glia {

namespace {

/// A mean in the making.
struct Mean {
  double sum = 0;
  std::int64_t defined = 0, undefined = 0;

  void add(const std::optional<double>& value) {
    if (value) {
      sum += *value;
      ++defined;
    } else {
      ++undefined;
    }
  }
  std::optional<double> value() const {
    if (defined == 0) return std::nullopt;
    return sum / static_cast<double>(defined);
  }
};

Scores average(std::span<const Case> cases) {
  Scores scores;
  for (const Score& score : all_scores()) {
    Mean mean;
    for (const Case& item : cases) mean.add(score.of(item));
    scores.*score.average = {mean.value(), mean.defined, mean.undefined};
  }
  return scores;
}

}  // namespace

void Evaluation::add(std::string slice, std::string patient, const Counts& counts,
                     std::optional<double> hd95) {
  check(counts.tp >= 0 && counts.fp >= 0 && counts.fn >= 0 && counts.tn >= 0 && counts.total() > 0,
        "evaluation: slice {}: the counts tp {}, fp {}, fn {}, tn {} must not be negative and must "
        "cover at least one pixel",
        slice, counts.tp, counts.fp, counts.fn, counts.tn);
  slices_.push_back({std::move(slice), std::move(patient), counts, 1, hd95});
}

void Evaluation::add_batch_iou(double intersection, double union_, const Counts& counts) {
  constexpr double kSmooth = 1;
  const auto tp = static_cast<double>(counts.tp),
             wrong = static_cast<double>(counts.fp + counts.fn);
  batch_iou_ += (intersection + kSmooth) / (union_ + kSmooth);
  batch_iou_thresholded_ += (tp + kSmooth) / (tp + wrong + kSmooth);
  batch_dice_thresholded_ += (2 * tp + kSmooth) / (2 * tp + wrong + kSmooth);
  ++batches_;
}

std::vector<Case> Evaluation::patients() const {
  std::vector<Case> patients;
  std::vector<Mean> distances;
  std::map<std::string, std::size_t> index;
  for (const Case& slice : slices_) {
    if (slice.patient.empty()) continue;
    const auto [place, is_new] = index.emplace(slice.patient, patients.size());
    if (is_new) {
      patients.push_back({slice.patient, slice.patient, {}, 0});
      distances.emplace_back();
    }
    Case& patient = patients[place->second];
    patient.counts += slice.counts;
    ++patient.slices;
    distances[place->second].add(slice.hd95);
  }
  for (std::size_t i = 0; i < patients.size(); ++i) patients[i].hd95 = distances[i].value();
  return patients;
}

Summary Evaluation::summary() const {
  Summary summary;
  const std::vector<Case> patients = this->patients();
  summary.distance_unit = distance_unit_;
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
  summary.false_positive_rate = {
      ratio(summary.slices_false_positive, summary.slices_without_tumour),
      summary.slices_without_tumour, summary.slices_with_tumour};
  summary.batches = batches_;
  if (batches_ > 0) {
    summary.batch_iou = batch_iou_ / static_cast<double>(batches_);
    summary.batch_iou_thresholded = batch_iou_thresholded_ / static_cast<double>(batches_);
    summary.batch_dice_thresholded = batch_dice_thresholded_ / static_cast<double>(batches_);
  }
  return summary;
}

}  // namespace glia
