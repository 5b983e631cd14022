// loss = 1 - (2I + s) / (P + T + s) of p = sigmoid(z): dI/dp = t and dP/dp = 1, then the quotient
// rule and the sigmoid. docs/ops/dice_loss.md
#include "engine/ops/region_loss.h"

namespace glia::ops {

RegionLoss dice_loss(Tape& tape, const Tensor& logits, const Tensor& target, Region region,
                     double smooth, const WholeBatch& whole) {
  return region_loss<&KernelTable::dice_loss_forward, &KernelTable::dice_loss_of_sums,
                     &KernelTable::dice_loss_backward>("dice_loss", tape, logits, target, region,
                                                       smooth, whole);
}

}  // namespace glia::ops
