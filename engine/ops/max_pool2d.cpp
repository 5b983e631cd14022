// y = the maximum of each window; dy goes to the place of that maximum, the only element that y
// depends on. Saved: the place, one byte an output. docs/ops/max_pool2d.md
#include "engine/ops/common.h"
#include "engine/ops/max_pool2d_record.h"
#include "engine/ops/ops.h"

namespace glia::ops {

void record_max_pool2d(Tape& tape, const Tensor& x, const Tensor& y, const Tensor& index,
                       const PoolGeometry& g) {
  tape.record("max_pool2d", {x}, y, [x, index, g](Tape& t, const Tensor& dy) {
    const GradTarget dx = t.grad_target(x);
    run<&KernelTable::max_pool2d_backward>(
        t.device(), {.geometry = g, .dy = dy, .index = index, .dx = dx.view, .write = dx.write});
  });
}

Tensor max_pool2d(Tape& tape, const Tensor& x, std::int64_t window, std::int64_t stride,
                  const Tensor& out) {
  check_operand("max_pool2d", "input", x, Maps::read);
  const PoolGeometry g = max_pool2d_geometry(x.shape(), window, stride);
  Tensor y = result("max_pool2d", x, g.y_shape(), out);
  Tensor index = Tensor::empty(tape.device(), g.y_shape(), DType::u8);
  run<&KernelTable::max_pool2d_forward>(
      tape.device(), {.geometry = g, .x = x.stored(), .x_map = x.map(), .y = y, .index = index});
  record_max_pool2d(tape, x, y, index, g);
  return y;
}

}  // namespace glia::ops
