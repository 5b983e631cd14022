// y = x * w + b. Backward: dx = dy (*) w (dgrad), dw = dy (x) x (wgrad), db = sum of dy, since y is
// linear in each of them. Saved: x and w. docs/ops/conv2d.md
#include "engine/ops/conv_record.h"
#include "engine/ops/ops.h"

namespace glia::ops {

namespace {

Tensor convolve(Tape& tape, const Tensor& x, const Tensor& w, const Tensor& b, const ConvSpec& spec,
                const Tensor& out, Tensor* moments) {
  const char* op = "conv2d";
  check_operand(op, "input", x, Maps::written);
  check_operand(op, "weight", w);
  const ConvGeometry g = conv2d_geometry(x.shape(), w.shape(), spec);
  check(!x.is_deferred() || conv2d_reads_map(tape, g, w),
        "unsupported: {}: input is deferred, and the backend '{}' reads no maps{}", op,
        tape.device().kernels().name,
        tape.device().kernels().reads_map ? " at this geometry; materialise it first" : "");
  check_bias(op, w, b, g.K);
  Tensor y = conv_result(op, x, g.y_shape(), out);
  const ConvInputs in{x, w, b};
  if (moments) *moments = Tensor::empty(tape.device(), {2, g.K}, DType::f64);
  run<&KernelTable::conv2d_forward>(tape.device(), {.geometry = g,
                                                    .x = x.stored(),
                                                    .x_map = x.map(),
                                                    .w = in.factor,
                                                    .b = b,
                                                    .y = y,
                                                    .moments = moments ? moments->view() : View()});
  record_conv<&KernelTable::conv2d_dgrad, &KernelTable::conv2d_wgrad>(op, tape, in, y, g);
  return y;
}

}  // namespace

bool conv2d_reads_map(const Tape& tape, const ConvGeometry& g, const Tensor& w) {
  const Device& device = tape.device();
  return device.reads_map(kernel_of<Conv2dForward>(), g) &&
         (!tape.records() || !w.wants_grad() || device.reads_map(kernel_of<Conv2dWgrad>(), g));
}

Tensor conv2d(Tape& tape, const Tensor& x, const Tensor& w, const Tensor& b, const ConvSpec& spec,
              const Tensor& out) {
  return convolve(tape, x, w, b, spec, out, nullptr);
}

WithMoments conv2d_moments(Tape& tape, const Tensor& x, const Tensor& w, const Tensor& b,
                           const ConvSpec& spec, const Tensor& out) {
  check(tape.device().kernels().gives_moments,
        "unsupported: conv2d: the backend '{}' gives no moments", tape.device().kernels().name);
  WithMoments result;
  result.y = convolve(tape, x, w, b, spec, out, &result.moments);
  return result;
}

Tensor conv2d_mapped(Tape& tape, const Tensor& x, const Tensor& w, const Tensor& b,
                     const ConvSpec& spec, const Tensor& map, const Tensor& out) {
  const char* op = "conv2d_mapped";
  check(!tape.records(), "{}: has no gradient; use conv2d on a tape that records", op);
  check_operand(op, "input", x);
  check_operand(op, "weight", w);
  const ConvGeometry g = conv2d_geometry(x.shape(), w.shape(), spec);
  check_bias(op, w, b, g.K);
  check(map.shape() == Shape{MapRow::count, g.K}, "{}: the map is {}, expected [3, {}]", op,
        map.shape().str(), g.K);
  Tensor y = conv_result(op, x, g.y_shape(), out);
  run<&KernelTable::conv2d_forward>(
      tape.device(), {.geometry = g, .x = x, .w = factor_of(w), .b = b, .y_map = map, .y = y});
  return y;
}

}  // namespace glia::ops
