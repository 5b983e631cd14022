// y = alpha * sum of x, alpha being 1 (sum) or 1 / numel (mean); every dx = alpha * dy. Nothing is
// saved. docs/ops/sum.md
#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

namespace {

Tensor scaled_sum(const char* op, Tape& tape, const Tensor& x, double alpha) {
  Tensor y = Tensor::empty(tape.device(), {1}, tape.device().kernels().parameters);
  run<&KernelTable::sum>(tape.device(), {.x = x, .y = y, .alpha = alpha});
  tape.record(op, {x}, y, [x, alpha](Tape& t, const Tensor& dy) {
    const GradTarget dx = t.grad_target(x);
    run<&KernelTable::fill>(t.device(),
                            {.scalar = dy, .y = dx.view, .alpha = alpha, .write = dx.write});
  });
  return y;
}

}  // namespace

Tensor sum(Tape& tape, const Tensor& x) {
  check_operand("sum", "input", x);
  return scaled_sum("sum", tape, x, 1);
}

Tensor mean(Tape& tape, const Tensor& x) {
  check_operand("mean", "input", x);
  check(x.numel() > 0, "mean: found no elements, expected one or more");
  return scaled_sum("mean", tape, x, 1.0 / static_cast<double>(x.numel()));
}

}  // namespace glia::ops
