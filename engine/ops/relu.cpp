// y = max(x, 0); dx = dy where y > 0, because there y = x and elsewhere y is constant. Saved: y.
// docs/ops/relu.md
#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor relu(Tape& tape, const Tensor& x, const Tensor& out) {
  check_operand("relu", "input", x);
  Tensor y = result("relu", x, x.shape(), out);
  run<&KernelTable::relu_forward>(tape.device(), {.x = x, .y = y});
  tape.record("relu", {x}, y, [x, y](Tape& t, const Tensor& dy) {
    const GradTarget dx = t.grad_target(x);
    run<&KernelTable::relu_backward>(t.device(),
                                     {.dy = dy, .y = y, .dx = dx.view, .write = dx.write});
  });
  return y;
}

// Not stored: a deferred tensor over x with the map 1, 0, 0. dx = dy where x > 0, in the memory of
// dy, which nobody else holds. Saved: x.
Tensor deferred_relu(Tape& tape, const Tensor& x) {
  check_image("relu", x);
  const std::int64_t channels = x.shape().channels();
  const Tensor map =
      Tensor::empty(tape.device(), {MapRow::count, channels}, tape.device().kernels().parameters);
  const double rows[] = {1, 0, 0};
  for (std::int64_t row = 0; row < MapRow::count; ++row)
    run<&KernelTable::fill>(tape.device(),
                            {.y = map.slice(row * channels, {channels}), .alpha = rows[row]});
  const Tensor y = x.deferred(map);
  tape.record("relu", {x}, y, [x](Tape& t, const Tensor& dy) {
    run<&KernelTable::relu_backward>(t.device(), {.dy = dy, .y = x, .dx = dy});
    t.pass_grad(x, dy);
  });
  return y;
}

}  // namespace glia::ops
