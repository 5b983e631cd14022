// What conv2d and conv_transpose2d share: their result is linear in each of x, w and b, so both
// have the same backward pass around their own kernels.
#pragma once

#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

/// x has to have the type of activations; the result has it too, or that of parameters where `out`
/// asks for it, as logits do.
inline Tensor conv_result(const char* op, const Tensor& x, const Shape& shape, const Tensor& out) {
  const DType type = x.device().kernels().activations;
  check_type(op, "input", x, type, type);
  return result_of_either_type(op, x, shape, out);
}

/// What the kernels multiply by: the weight itself, its shadow or, for want of one, a copy.
inline Tensor factor_of(const Tensor& w) {
  const DType type = w.device().kernels().activations;
  if (w.dtype() == type) return w;
  if (w.shadow().defined()) return w.shadow();
  const Tensor copy = Tensor::empty(w.device(), w.shape(), type);
  run<&KernelTable::scale>(w.device(), {.x = w, .y = copy});
  return copy;
}

/// A bias of `channels` elements or none. One that wants a gradient needs a weight that does: the
/// kernel that computes it computes both.
inline void check_bias(const char* op, const Tensor& w, const Tensor& b, std::int64_t channels) {
  if (b.defined()) check_vector(op, "bias", b, channels);
  check(w.wants_grad() || !b.wants_grad(),
        "{}: the bias wants a gradient and the weight does not; freeze both or neither", op);
}

struct ConvInputs {
  Tensor x, w, b;
  Tensor factor = factor_of(w);
};

/// Records dx by the kernel `dgrad` and dw and db by `wgrad`. Saved: all inputs.
template <auto dgrad, auto wgrad>
void record_conv(const char* op, Tape& tape, const ConvInputs& in, const Tensor& y,
                 const ConvGeometry& g) {
  tape.record(op, {in.x, in.w, in.b}, y, [in, g](Tape& t, const Tensor& dy) {
    const auto& [x, w, b, factor] = in;
    if (x.wants_grad()) {
      const GradTarget dx = t.grad_target(x);
      run<dgrad>(t.device(),
                 {.geometry = g, .dy = dy, .w = factor, .dx = dx.view, .write = dx.write});
    }
    if (w.wants_grad()) {
      const GradTarget dw = t.grad_target(w);
      const GradTarget db = b.wants_grad() ? t.grad_target(b) : GradTarget{};
      run<wgrad>(t.device(), {.geometry = g,
                              .dy = dy,
                              .x = x.stored(),
                              .x_map = x.map(),
                              .dw = dw.view,
                              .db = db.view,
                              .write = dw.write,
                              .write_bias = db.write});
    }
  });
}

}  // namespace glia::ops
