// The adjoint of conv2d as a layer, so its passes are conv2d's with the roles of x and y exchanged:
// forward is a dgrad, dx is a forward, dw is a wgrad. Saved: x and w. docs/ops/conv_transpose2d.md
#include "engine/ops/conv_record.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor conv_transpose2d(Tape& tape, const Tensor& x, const Tensor& w, const Tensor& b,
                        const ConvSpec& spec, const Tensor& out) {
  const char* op = "conv_transpose2d";
  check_operand(op, "input", x, Maps::read);
  check_operand(op, "weight", w);
  const ConvGeometry g = conv_transpose2d_geometry(x.shape(), w.shape(), spec);
  check_bias(op, w, b, g.C);
  Tensor y = conv_result(op, x, g.x_shape(), out);
  const ConvInputs in{x, w, b};
  run<&KernelTable::conv_transpose2d_forward>(
      tape.device(),
      {.geometry = g, .x = x.stored(), .x_map = x.map(), .w = in.factor, .b = b, .y = y});
  record_conv<&KernelTable::conv_transpose2d_dgrad, &KernelTable::conv_transpose2d_wgrad>(op, tape,
                                                                                          in, y, g);
  return y;
}

}  // namespace glia::ops
