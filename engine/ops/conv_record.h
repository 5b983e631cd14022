// What conv2d and conv_transpose2d share: their result is linear in each of x, w and b, so both
// have the same backward pass around their own kernels.
#pragma once

#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

/// A bias of `channels` elements or none. One that wants a gradient needs a weight that does: the
/// kernel that computes it computes both.
inline void check_bias(const char* op, const Tensor& w, const Tensor& b, std::int64_t channels) {
  if (b.defined()) check_vector(op, "bias", b, channels);
  check(w.wants_grad() || !b.wants_grad(),
        "{}: the bias wants a gradient and the weight does not; freeze both or neither", op);
}

/// Records dx by the kernel `dgrad` and dw and db by `wgrad`. Saved: x and w.
template <auto dgrad, auto wgrad>
void record_conv(const char* op, Tape& tape, const Tensor& x, const Tensor& w, const Tensor& b,
                 const Tensor& y, const ConvGeometry& g) {
  tape.record(op, {x, w, b}, y, [x, w, b, g](Tape& t, const Tensor& dy) {
    if (x.wants_grad()) {
      const GradTarget dx = t.grad_target(x);
      run<dgrad>(t.device(), {.geometry = g, .dy = dy, .w = w, .dx = dx.view, .write = dx.write});
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
