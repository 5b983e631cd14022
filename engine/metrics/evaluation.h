// What an evaluation reports: scores averaged over slices, over patients and over the whole data
// set, and the batch IoU that training watches. Host code, no tensors. Definitions and the rules
// for empty masks: docs/evaluation.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/metrics/scores.h"

namespace glia {

/// Everything that one evaluation says.
struct Summary {
  Scores per_slice;    // every slice counts the same
  Scores per_patient;  // a patient's slices are pooled first, then every patient counts the same
  Scores pooled;       // all pixels of the data set are pooled: one unit; no HD95
  Counts counts;       // the pooled pixels
  std::string distance_unit;  // of HD95: "pixels" or "mm"
  std::int64_t slices = 0, patients = 0, slices_of_unknown_patient = 0;
  std::int64_t slices_with_tumour = 0, slices_without_tumour = 0;
  std::int64_t slices_both_empty = 0;  // left out of the per-slice Dice and IoU
  std::int64_t slices_missed = 0;      // with tumour, nothing predicted: Dice and IoU are 0
  /// Without tumour, something predicted: Dice and IoU are 0.
  std::int64_t slices_false_positive = 0;
  /// slices_false_positive / slices_without_tumour; undefined when every slice has a tumour.
  Average false_positive_rate;
  /// Mean over batches of (I + 1) / (U + 1), I = sum p t, U = sum p + t - p t with probabilities p:
  /// the figure that training shows. It depends on the batch size.
  std::optional<double> batch_iou;
  /// The same with the thresholded prediction in place of p.
  std::optional<double> batch_iou_thresholded;
  /// Likewise the mean over batches of the thresholded Dice, (2 tp + 1) / (2 tp + fp + fn + 1).
  std::optional<double> batch_dice_thresholded;
  std::int64_t batches = 0;
};

/// Collects an evaluation slice by slice and batch by batch, in any order; the averages follow the
/// order of the calls, so the same calls give the same bits.
class Evaluation {
 public:
  Evaluation() = default;
  /// `distance_unit` is that of HD95, for people: "pixels" or "mm".
  explicit Evaluation(std::string distance_unit) : distance_unit_(std::move(distance_unit)) {}

  /// Adds one slice. `patient` groups slices; pass "" when it is not known, and the slice stays out
  /// of the per-patient average. `hd95` is left out when undefined or not measured. Throws `Error`
  /// on a negative count or a slice without pixels.
  void add(std::string slice, std::string patient, const Counts& counts,
           std::optional<double> hd95 = {});

  /// Adds one batch to the batch IoU: `intersection` = sum p t and `union_` = sum p + t - p t over
  /// all pixels of the batch; `counts` are the thresholded pixels of the same batch. A short last
  /// batch weighs as much as a full one.
  void add_batch_iou(double intersection, double union_, const Counts& counts);

  /// Without intervals; see engine/metrics/bootstrap.h.
  Summary summary() const;
  const std::vector<Case>& slices() const { return slices_; }
  /// One case a known patient, in order of first appearance, its slices pooled.
  std::vector<Case> patients() const;

 private:
  std::string distance_unit_ = "pixels";
  std::vector<Case> slices_;
  double batch_iou_ = 0, batch_iou_thresholded_ = 0, batch_dice_thresholded_ = 0;  // sums
  std::int64_t batches_ = 0;
};

}  // namespace glia
