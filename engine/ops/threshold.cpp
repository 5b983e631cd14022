// mask = 1 where x > t, else 0. The derivative is 0 almost everywhere, so nothing is recorded: a
// loss behind a threshold says that it depends on nothing. docs/ops/threshold.md
#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor threshold(Tape& tape, const Tensor& x, double t) {
  check_operand("threshold", "input", x);
  Tensor mask = Tensor::empty(tape.device(), x.shape(), x.dtype());
  run<&KernelTable::threshold>(tape.device(), {.x = x, .mask = mask, .t = t});
  return mask;
}

}  // namespace glia::ops
