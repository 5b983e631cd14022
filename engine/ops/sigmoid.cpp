// y = 1/(1+exp(-x)); dx = dy * y * (1 - y), since that is the derivative in terms of y. Saved: y.
// docs/ops/sigmoid.md
#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor sigmoid(Tape& tape, const Tensor& x, const Tensor& out) {
  check_operand("sigmoid", "input", x);
  Tensor y = result("sigmoid", x, x.shape(), out);
  run<&KernelTable::sigmoid_forward>(tape.device(), {.x = x, .y = y});
  tape.record("sigmoid", {x}, y, [x, y](Tape& t, const Tensor& dy) {
    const GradTarget dx = t.grad_target(x);
    run<&KernelTable::sigmoid_backward>(t.device(),
                                        {.dy = dy, .y = y, .dx = dx.view, .write = dx.write});
  });
  return y;
}

}  // namespace glia::ops
