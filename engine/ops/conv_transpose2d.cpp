// The adjoint of conv2d as a layer, so its passes are conv2d's with the roles of x and y exchanged:
// forward is a dgrad, dx is a forward, dw is a wgrad. Saved: x and w. docs/ops/conv_transpose2d.md
#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor conv_transpose2d(Tape& tape, const Tensor& x, const Tensor& w, const Tensor& b,
                        const ConvSpec& spec, const Tensor& out) {
  const char* op = "conv_transpose2d";
  check_operand(op, "input", x);
  check_operand(op, "weight", w);
  const ConvGeometry g = conv_transpose2d_geometry(x.shape(), w.shape(), spec);
  if (b.defined()) check_vector(op, "bias", b, g.C);
  check(w.wants_grad() || !b.wants_grad(),
        "{}: the bias wants a gradient and the weight does not; freeze both or neither", op);
  Tensor y = result(op, x, g.x_shape(), out);
  run<&KernelTable::conv_transpose2d_forward>(tape.device(),
                                              {.geometry = g, .x = x, .w = w, .b = b, .y = y});
  tape.record(op, {x, w, b}, y, [x, w, b, g](Tape& t, const Tensor& dy) {
    if (x.wants_grad()) {
      const GradTarget dx = t.grad_target(x);
      run<&KernelTable::conv_transpose2d_dgrad>(
          t.device(), {.geometry = g, .dy = dy, .w = w, .dx = dx.view, .write = dx.write});
    }
    if (w.wants_grad()) {
      const GradTarget dw = t.grad_target(w);
      const GradTarget db = b.wants_grad() ? t.grad_target(b) : GradTarget{};
      run<&KernelTable::conv_transpose2d_wgrad>(t.device(), {.geometry = g,
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
