// y = a + b; each operand's gradient is dy. Nothing is saved. docs/ops/add.md
#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor add(Tape& tape, const Tensor& a, const Tensor& b, const Tensor& out) {
  check_same_shape("add", a, b);
  Tensor y = result("add", a, a.shape(), out);
  run<&KernelTable::add>(tape.device(), {.a = a, .b = b, .y = y});
  tape.record("add", {a, b}, y, [a, b](Tape& t, const Tensor& dy) {
    for (const Tensor& x : {a, b}) {
      if (!x.wants_grad()) continue;
      const GradTarget dx = t.grad_target(x);
      run<&KernelTable::scale>(t.device(), {.x = dy, .y = dx.view, .write = dx.write});
    }
  });
  return y;
}

}  // namespace glia::ops
