// y = max(x, 0); dx = dy where y > 0, because there y = x and elsewhere y is constant. Saved: y.
// docs/ops/relu.md
#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor relu(Tape& tape, const Tensor& x, const Tensor& out) {
  check_operand("relu", "input", x);
  Tensor y = result("relu", x, x.shape(), out);
  run<&KernelTable::relu_forward>(tape.device(), {.x = x, .y = y});
  tape.record("relu", {x}, y, [x, y](Tape& t, const Tensor& dy) {
    const GradTarget dx = t.grad_target(x);
    run<&KernelTable::relu_backward>(t.device(),
                                     {.dy = dy, .y = y, .dx = dx.view, .write = dx.write});
  });
  return y;
}

}  // namespace glia::ops
