// What an evaluation reports: overlap scores from pixel counts, averaged over slices, over patients
// and over the whole data set, and the batch IoU that training watches. Host code, no tensors.
// Definitions and the rules for empty masks: docs/evaluation.md
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace glia {

/// Pixels of a thresholded prediction against a binary truth. A score whose denominator is zero is
/// undefined (`nullopt`), never a number that could enter a mean.
struct Counts {
  std::int64_t tp = 0, fp = 0, fn = 0, tn = 0;

  Counts& operator+=(const Counts& other);
  std::int64_t total() const { return tp + fp + fn + tn; }
  bool truth_empty() const { return tp + fn == 0; }
  bool prediction_empty() const { return tp + fp == 0; }

  /// 2 tp / (2 tp + fp + fn). Undefined when both masks are empty, 0 when one is.
  std::optional<double> dice() const;
  /// tp / (tp + fp + fn). Undefined when both masks are empty, 0 when one is.
  std::optional<double> iou() const;
  /// tp / (tp + fp): the share of the predicted tumour that is tumour. Undefined when nothing was
  /// predicted.
  std::optional<double> precision() const;
  /// tp / (tp + fn): the share of the tumour that was found. Undefined without tumour.
  std::optional<double> sensitivity() const;
  /// tn / (tn + fp). Trivially high where tumours are small: nearly every pixel is background.
  std::optional<double> specificity() const;
  /// (tp + tn) / all. Trivially high for the same reason.
  std::optional<double> pixel_accuracy() const;
  /// (fp - fn) / (tp + fn): predicted area over true area, less 1; signed. Undefined without
  /// tumour.
  std::optional<double> volume_error() const;
};

/// A mean over the units (slices or patients) for which a score is defined.
struct Average {
  std::optional<double> mean;  // nullopt when no unit defines the score
  std::int64_t defined = 0, undefined = 0;
};

/// One average a score of `Counts`.
struct Scores {
  Average dice, iou, precision, sensitivity, specificity, pixel_accuracy, volume_error;
};

/// The counts of one slice, or of all slices of one patient.
struct Case {
  std::string id, patient;  // patient is empty when it is not known
  Counts counts;
  std::int64_t slices = 1;
};

/// Everything that one evaluation says.
struct Summary {
  Scores per_slice;    // every slice counts the same
  Scores per_patient;  // a patient's slices are pooled first, then every patient counts the same
  Scores pooled;       // all pixels of the data set are pooled: one unit
  Counts counts;       // the pooled pixels
  std::int64_t slices = 0, patients = 0, slices_of_unknown_patient = 0;
  std::int64_t slices_with_tumour = 0, slices_without_tumour = 0;
  std::int64_t slices_both_empty = 0;  // left out of the per-slice Dice and IoU
  std::int64_t slices_missed = 0;      // with tumour, nothing predicted: Dice and IoU are 0
  std::int64_t slices_false_positive =
      0;  // without tumour, something predicted: Dice and IoU are 0
  /// slices_false_positive / slices_without_tumour; undefined when every slice has a tumour.
  std::optional<double> false_positive_rate;
  /// Mean over batches of (I + 1) / (U + 1), I = sum p t, U = sum p + t - p t with probabilities p:
  /// the figure that training shows. It depends on the batch size.
  std::optional<double> batch_iou;
  /// The same with the thresholded prediction in place of p.
  std::optional<double> batch_iou_thresholded;
  std::int64_t batches = 0;
};

/// Collects an evaluation slice by slice and batch by batch, in any order; the averages follow the
/// order of the calls, so the same calls give the same bits.
class Evaluation {
 public:
  /// Adds one slice. `patient` groups slices; pass "" when it is not known, and the slice stays out
  /// of the per-patient average. Throws `Error` on a negative count or a slice without pixels.
  void add(std::string slice, std::string patient, const Counts& counts);

  /// Adds one batch to the batch IoU: `intersection` = sum p t and `union_` = sum p + t - p t over
  /// all pixels of the batch; `counts` are the thresholded pixels of the same batch. A short last
  /// batch weighs as much as a full one.
  void add_batch_iou(double intersection, double union_, const Counts& counts);

  Summary summary() const;
  const std::vector<Case>& slices() const { return slices_; }
  /// One case a known patient, in order of first appearance, its slices pooled.
  std::vector<Case> patients() const;

  /// The summary, and the tables "patients" and "slices" with every case's counts and scores.
  /// Undefined scores are null.
  nlohmann::json to_json() const;

 private:
  std::vector<Case> slices_;
  double batch_iou_ = 0, batch_iou_thresholded_ = 0;  // sums over the batches
  std::int64_t batches_ = 0;
};

/// The summary without the tables of cases. Undefined scores are null.
nlohmann::json summary_json(const Summary& summary);

/// The summary as plain text for a terminal: one row a score, one column an average with the number
/// of units behind it, then the counts. Ends in a newline.
std::string format_table(const Summary& summary);

}  // namespace glia
