// y = x * w + b. Backward: dx = dy (*) w (dgrad), dw = dy (x) x (wgrad), db = sum of dy, since y is
// linear in each of them. Saved: x and w. docs/ops/conv2d.md
#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor conv2d(Tape& tape, const Tensor& x, const Tensor& w, const Tensor& b, const ConvSpec& spec,
              const Tensor& out) {
  check_operand("conv2d", "input", x);
  check_operand("conv2d", "weight", w);
  const ConvGeometry g = conv2d_geometry(x.shape(), w.shape(), spec);
  if (b.defined()) check_vector("conv2d", "bias", b, g.K);
  check(w.wants_grad() || !b.wants_grad(),
        "{}: the bias wants a gradient and the weight does not; freeze both or neither", "conv2d");
  Tensor y = result("conv2d", x, g.y_shape(), out);
  run<&KernelTable::conv2d_forward>(tape.device(), {.geometry = g, .x = x, .w = w, .b = b, .y = y});
  tape.record("conv2d", {x, w, b}, y, [x, w, b, g](Tape& t, const Tensor& dy) {
    if (x.wants_grad()) {
      const GradTarget dx = t.grad_target(x);
      run<&KernelTable::conv2d_dgrad>(
          t.device(), {.geometry = g, .dy = dy, .w = w, .dx = dx.view, .write = dx.write});
    }
    if (w.wants_grad()) {
      const GradTarget dw = t.grad_target(w);
      const GradTarget db = b.wants_grad() ? t.grad_target(b) : GradTarget{};
      run<&KernelTable::conv2d_wgrad>(t.device(), {.geometry = g,
                                                   .dy = dy,
                                                   .x = x,
                                                   .dw = dw.view,
                                                   .db = db.view,
                                                   .write = dw.write,
                                                   .write_bias = db.write});
    }
  });
  return y;
}

}  // namespace glia::ops
