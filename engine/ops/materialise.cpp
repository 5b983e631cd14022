// y = the elements of a deferred tensor, written down; its gradient is that of y. Pooling may go
// along in the same pass. docs/ops/materialise.md
#include "engine/ops/common.h"
#include "engine/ops/max_pool2d_record.h"
#include "engine/ops/ops.h"

namespace glia::ops {

namespace {

void record(Tape& tape, const Tensor& x, const Tensor& y) {
  tape.record("materialise", {x}, y, [x](Tape& t, const Tensor& dy) { t.pass_grad(x, dy); });
}

}  // namespace

Tensor materialise(Tape& tape, const Tensor& x, const Tensor& out) {
  check_operand("materialise", "input", x, Maps::written);
  if (!x.is_deferred()) return x;
  const Tensor y = result("materialise", x, x.shape(), out);
  run<&KernelTable::materialise>(tape.device(), {.x = x.stored(), .map = x.map(), .y = y});
  record(tape, x, y);
  return y;
}

Pooled materialise_pool(Tape& tape, const Tensor& x, const Tensor& out) {
  check_operand("materialise", "input", x, Maps::written);
  if (!x.is_deferred()) return {x, max_pool2d(tape, x)};
  const PoolGeometry g = max_pool2d_geometry(x.shape(), 2, 2);
  const Tensor y = result("materialise", x, x.shape(), out);
  const Tensor pooled = Tensor::empty(tape.device(), g.y_shape(), x.dtype());
  const Tensor index = Tensor::empty(tape.device(), g.y_shape(), DType::u8);
  run<&KernelTable::materialise>(
      tape.device(), {.x = x.stored(), .map = x.map(), .y = y, .pooled = pooled, .index = index});
  record(tape, x, y);
  record_max_pool2d(tape, y, pooled, index, g);
  return {y, pooled};
}

}  // namespace glia::ops
