// loss = -log((I + s) / (U + s)) of p = sigmoid(z): dI/dp = t and dU/dp = 1 - t, then the chain
// rule through the logarithm and the sigmoid. docs/ops/iou_loss.md
#include "engine/ops/region_loss.h"

namespace glia::ops {

RegionLoss iou_loss(Tape& tape, const Tensor& logits, const Tensor& target, Region region,
                    double smooth, const WholeBatch& whole) {
  return region_loss<&KernelTable::iou_loss_forward, &KernelTable::iou_loss_of_sums,
                     &KernelTable::iou_loss_backward>("iou_loss", tape, logits, target, region,
                                                      smooth, whole);
}

}  // namespace glia::ops
