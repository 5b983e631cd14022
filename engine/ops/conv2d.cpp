// y = x * w + b. Backward: dx = dy (*) w (dgrad), dw = dy (x) x (wgrad), db = sum of dy, since y is
// linear in each of them. Saved: x and w. docs/ops/conv2d.md
#include "engine/ops/conv_record.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor conv2d(Tape& tape, const Tensor& x, const Tensor& w, const Tensor& b, const ConvSpec& spec,
              const Tensor& out) {
  const char* op = "conv2d";
  check_operand(op, "input", x);
  check_operand(op, "weight", w);
  const ConvGeometry g = conv2d_geometry(x.shape(), w.shape(), spec);
  check_bias(op, w, b, g.K);
  Tensor y = result(op, x, g.y_shape(), out);
  run<&KernelTable::conv2d_forward>(tape.device(), {.geometry = g, .x = x, .w = w, .b = b, .y = y});
  record_conv<&KernelTable::conv2d_dgrad, &KernelTable::conv2d_wgrad>(op, tape, x, w, b, y, g);
  return y;
}

}  // namespace glia::ops
