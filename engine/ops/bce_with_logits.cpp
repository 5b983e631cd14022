// loss = mean of max(z,0) - z t + log(1 + exp(-|z|)), which never overflows; dz = (sigmoid(z) - t)
// / n. Saved: logits and target. docs/ops/bce_with_logits.md
#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor bce_with_logits(Tape& tape, const Tensor& logits, const Tensor& target) {
  check_image("bce_with_logits", logits);
  check_parameter("bce_with_logits", "logits", logits);
  check_same_shape("bce_with_logits", logits, target);
  Tensor loss = Tensor::empty(tape.device(), {1}, logits.dtype());
  run<&KernelTable::bce_with_logits_forward>(tape.device(),
                                             {.logits = logits, .target = target, .loss = loss});
  tape.record("bce_with_logits", {logits}, loss, [logits, target](Tape& t, const Tensor& dloss) {
    const GradTarget dz = t.grad_target(logits);
    run<&KernelTable::bce_with_logits_backward>(t.device(), {.dloss = dloss,
                                                             .logits = logits,
                                                             .target = target,
                                                             .dlogits = dz.view,
                                                             .write = dz.write});
  });
  return loss;
}

}  // namespace glia::ops
