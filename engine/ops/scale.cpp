// y = alpha * x; dx = alpha * dy, whatever was rounded where the types differ. Nothing is saved.
// docs/ops/scale.md
#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor scale(Tape& tape, const Tensor& x, double alpha, const Tensor& out) {
  check_operand("scale", "input", x);
  Tensor y = result_of_either_type("scale", x, x.shape(), out);
  run<&KernelTable::scale>(tape.device(), {.x = x, .y = y, .alpha = alpha});
  tape.record("scale", {x}, y, [x, alpha](Tape& t, const Tensor& dy) {
    const GradTarget dx = t.grad_target(x);
    run<&KernelTable::scale>(t.device(),
                             {.x = dy, .y = dx.view, .alpha = alpha, .write = dx.write});
  });
  return y;
}

}  // namespace glia::ops
