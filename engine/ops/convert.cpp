// y = x in the type of activations, dx = dy in that of x: rounding counts as the identity. Nothing is
// saved. docs/ops/scale.md
#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor convert(Tape& tape, const Tensor& x) {
  check_operand("convert", "input", x);
  const DType type = tape.device().kernels().activations;
  if (x.dtype() == type) return x;
  const Tensor y = Tensor::empty(tape.device(), x.shape(), type);
  run<&KernelTable::scale>(tape.device(), {.x = x, .y = y});
  tape.record("convert", {x}, y, [x](Tape& t, const Tensor& dy) {
    const GradTarget dx = t.grad_target(x);
    run<&KernelTable::scale>(t.device(), {.x = dy, .y = dx.view, .write = dx.write});
  });
  return y;
}

}  // namespace glia::ops
