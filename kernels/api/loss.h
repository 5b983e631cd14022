// Segmentation losses on logits, the sigmoid fused in, and the counts that evaluation needs.
// logits and target have the same shape [N,H,W,C] and are dense; target is in {0,1} (soft targets
// are allowed).
#pragma once

#include <cstdint>

#include "kernels/api/operands.h"
#include "kernels/api/view.h"

namespace glia {

/// Over what a region loss sums before its ratio: the whole batch (the seed's definition), or each
/// image, averaging the N losses.
enum class Region : std::uint8_t { batch, image };

/// p = sigmoid(logits); I = sum p*t; U = sum p + t - p*t; iou = (I + smooth) / (U + smooth);
/// loss = -log(iou), averaged over the regions. `sums` [regions, 2] keeps (I, U) in f64 for the
/// backward pass and for the metric. docs/ops/iou_loss.md
struct IouLossForward {
  ConstView logits, target;
  View loss, sums;
  Region region = Region::batch;
  double smooth = 1;
};
template <class V>
void visit(IouLossForward& a, const V& v) {
  v("logits", Role::in, a.logits);
  v("target", Role::in, a.target, Content::binary);
  v("loss", Role::out, a.loss);
  v("sums", Role::out, a.sums);
}

/// The loss of sums [regions, 2] that are known already: those of a batch whose shards are computed
/// apart.
struct IouLossOfSums {
  ConstView sums;
  View loss;
  double smooth = 1;
};
template <class V>
void visit(IouLossOfSums& a, const V& v) {
  v("sums", Role::in, a.sums, Content::sums);
  v("loss", Role::out, a.loss);
}

/// dlogits = dloss / regions * p(1-p) * ((1 - t) / (U + smooth) - t / (I + smooth)).
struct IouLossBackward {
  ConstView dloss, logits, target, sums;
  View dlogits;
  Region region = Region::batch;
  double smooth = 1;
  Write write = Write::overwrite;
};
template <class V>
void visit(IouLossBackward& a, const V& v) {
  v("dloss", Role::in, a.dloss);
  v("logits", Role::in, a.logits);
  v("target", Role::in, a.target, Content::binary);
  v("sums", Role::in, a.sums, Content::sums);
  v("dlogits", gradient(a.write), a.dlogits);
}

/// loss = 1 - (2 I + smooth) / (P + T + smooth), I = sum p*t, P = sum p, T = sum t; averaged over
/// the regions. `sums` [regions, 2] keeps (I, P + T) in f64. docs/ops/dice_loss.md
struct DiceLossForward {
  ConstView logits, target;
  View loss, sums;
  Region region = Region::batch;
  double smooth = 1;
};
template <class V>
void visit(DiceLossForward& a, const V& v) {
  v("logits", Role::in, a.logits);
  v("target", Role::in, a.target, Content::binary);
  v("loss", Role::out, a.loss);
  v("sums", Role::out, a.sums);
}

/// The loss of sums [regions, 2] that are known already: those of a batch whose shards are computed
/// apart.
struct DiceLossOfSums {
  ConstView sums;
  View loss;
  double smooth = 1;
};
template <class V>
void visit(DiceLossOfSums& a, const V& v) {
  v("sums", Role::in, a.sums, Content::sums);
  v("loss", Role::out, a.loss);
}

/// dlogits = -dloss / regions * p(1-p) * (2 t (D + smooth) - (2 I + smooth)) / (D + smooth)^2, D =
/// P + T.
struct DiceLossBackward {
  ConstView dloss, logits, target, sums;
  View dlogits;
  Region region = Region::batch;
  double smooth = 1;
  Write write = Write::overwrite;
};
template <class V>
void visit(DiceLossBackward& a, const V& v) {
  v("dloss", Role::in, a.dloss);
  v("logits", Role::in, a.logits);
  v("target", Role::in, a.target, Content::binary);
  v("sums", Role::in, a.sums, Content::sums);
  v("dlogits", gradient(a.write), a.dlogits);
}

/// loss = mean of max(z,0) - z*t + log(1 + exp(-|z|)). docs/ops/bce_with_logits.md
struct BceWithLogitsForward {
  ConstView logits, target;
  View loss;
};
template <class V>
void visit(BceWithLogitsForward& a, const V& v) {
  v("logits", Role::in, a.logits);
  v("target", Role::in, a.target, Content::binary);
  v("loss", Role::out, a.loss);
}

/// dlogits = dloss * (sigmoid(z) - t) / numel.
struct BceWithLogitsBackward {
  ConstView dloss, logits, target;
  View dlogits;
  Write write = Write::overwrite;
};
template <class V>
void visit(BceWithLogitsBackward& a, const V& v) {
  v("dloss", Role::in, a.dloss);
  v("logits", Role::in, a.logits);
  v("target", Role::in, a.target, Content::binary);
  v("dlogits", gradient(a.write), a.dlogits);
}

/// counts [N, 4] (i64): true positives, false positives, false negatives, true negatives of
/// (prediction > t) against (target > 0.5), an image a row. docs/ops/confusion_counts.md
struct ConfusionCounts {
  ConstView prediction, target;
  View counts;
  double t = 0.5;
};
template <class V>
void visit(ConfusionCounts& a, const V& v) {
  v("prediction", Role::in, a.prediction);
  v("target", Role::in, a.target, Content::binary);
  v("counts", Role::out, a.counts);
}

}  // namespace glia
