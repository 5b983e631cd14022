// Segmentation losses on logits, the sigmoid fused in, and the counts that evaluation needs.
// logits and target have the same shape [N,H,W,C] and are dense; target is in {0,1} (soft targets
// are allowed).
#pragma once

#include <cstdint>

#include "kernels/api/view.h"

namespace glia {

/// Over what a region loss sums before its ratio: the whole batch (the seed's definition), or each
/// image, averaging the N losses.
enum class Region : std::uint8_t { batch, image };

/// p = sigmoid(logits); I = sum p*t; U = sum p + t - p*t; iou = (I + smooth) / (U + smooth);
/// loss = -log(iou), averaged over the regions. `sums` [regions, 2] keeps (I, U) in f64 for the
/// backward pass and for the metric. docs/ops/iou_loss.md
struct IouLossForward {
  static constexpr const char* kName = "iou_loss_forward";
  ConstView logits, target;
  View loss, sums;
  Region region = Region::batch;
  double smooth = 1;
};

/// dlogits = dloss / regions * p(1-p) * ((1 - t) / (U + smooth) - t / (I + smooth)).
struct IouLossBackward {
  static constexpr const char* kName = "iou_loss_backward";
  ConstView dloss, logits, target, sums;
  View dlogits;
  Region region = Region::batch;
  double smooth = 1;
  Write write = Write::overwrite;
};

/// loss = 1 - (2 I + smooth) / (P + T + smooth), I = sum p*t, P = sum p, T = sum t; averaged over
/// the regions. `sums` [regions, 2] keeps (I, P + T) in f64. docs/ops/dice_loss.md
struct DiceLossForward {
  static constexpr const char* kName = "dice_loss_forward";
  ConstView logits, target;
  View loss, sums;
  Region region = Region::batch;
  double smooth = 1;
};

/// dlogits = -dloss / regions * p(1-p) * (2 t (D + smooth) - (2 I + smooth)) / (D + smooth)^2, D =
/// P + T.
struct DiceLossBackward {
  static constexpr const char* kName = "dice_loss_backward";
  ConstView dloss, logits, target, sums;
  View dlogits;
  Region region = Region::batch;
  double smooth = 1;
  Write write = Write::overwrite;
};

/// loss = mean of max(z,0) - z*t + log(1 + exp(-|z|)). docs/ops/bce_with_logits.md
struct BceWithLogitsForward {
  static constexpr const char* kName = "bce_with_logits_forward";
  ConstView logits, target;
  View loss;
};

/// dlogits = dloss * (sigmoid(z) - t) / numel.
struct BceWithLogitsBackward {
  static constexpr const char* kName = "bce_with_logits_backward";
  ConstView dloss, logits, target;
  View dlogits;
  Write write = Write::overwrite;
};

/// counts [N, 4] (i64): true positives, false positives, false negatives, true negatives of
/// (prediction > t) against (target > 0.5), an image a row. docs/ops/confusion_counts.md
struct ConfusionCounts {
  static constexpr const char* kName = "confusion_counts";
  ConstView prediction, target;
  View counts;
  double t = 0.5;
};

}  // namespace glia
