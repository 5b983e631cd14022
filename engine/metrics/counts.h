// Pixel counts of a prediction against the truth, and the scores that come from them alone. Host
// code, no tensors. Definitions and the rules for empty masks: docs/evaluation.md
#pragma once

#include <cstdint>
#include <optional>

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
  /// The same without its sign, so that too much and too little do not cancel in a mean.
  std::optional<double> absolute_volume_error() const;
};

/// part / whole; undefined when the whole is 0.
std::optional<double> ratio(std::int64_t part, std::int64_t whole);

}  // namespace glia
