// y = a * b; da = dy * b and db = dy * a by the product rule. Saved: a and b. docs/ops/mul.md
#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor mul(Tape& tape, const Tensor& a, const Tensor& b, const Tensor& out) {
  check_same_shape("mul", a, b);
  Tensor y = result("mul", a, a.shape(), out);
  run<&KernelTable::mul>(tape.device(), {.a = a, .b = b, .y = y});
  tape.record("mul", {a, b}, y, [a, b](Tape& t, const Tensor& dy) {
    const auto send = [&](const Tensor& x, const Tensor& other) {
      if (!x.wants_grad()) return;
      const GradTarget dx = t.grad_target(x);
      run<&KernelTable::mul>(t.device(), {.a = dy, .b = other, .y = dx.view, .write = dx.write});
    };
    send(a, b);
    send(b, a);
  });
  return y;
}

}  // namespace glia::ops
