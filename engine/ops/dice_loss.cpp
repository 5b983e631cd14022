// loss = 1 - (2I + s) / (P + T + s) of p = sigmoid(z): dI/dp = t and dP/dp = 1, then the quotient
// rule and the sigmoid. docs/ops/dice_loss.md
#include "engine/ops/region_loss.h"

namespace glia::ops {

RegionLoss dice_loss(Tape& tape, const Tensor& logits, const Tensor& target, Region region,
                     double smooth) {
  return region_loss<&KernelTable::dice_loss_forward, &KernelTable::dice_loss_backward>(
      "dice_loss", tape, logits, target, region, smooth);
}

}  // namespace glia::ops
