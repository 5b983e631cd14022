// Every pixel is copied into a factor x factor block, so its gradient is the sum over that block.
// Nothing is saved. docs/ops/upsample_nearest2d.md
#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor upsample_nearest2d(Tape& tape, const Tensor& x, std::int64_t factor, const Tensor& out) {
  check_image("upsample_nearest2d", x);
  check(factor >= 1 && factor <= 64, "upsample_nearest2d: found factor {}, expected 1 to 64",
        factor);
  const Shape& s = x.shape();
  const Shape shape{s[0], s[1] * factor, s[2] * factor, s[3]};
  Tensor y = result("upsample_nearest2d", x, shape, out);
  run<&KernelTable::upsample_nearest2d_forward>(tape.device(), {.x = x, .y = y, .factor = factor});
  tape.record("upsample_nearest2d", {x}, y, [x, factor](Tape& t, const Tensor& dy) {
    const GradTarget dx = t.grad_target(x);
    run<&KernelTable::upsample_nearest2d_backward>(
        t.device(), {.dy = dy, .dx = dx.view, .factor = factor, .write = dx.write});
  });
  return y;
}

}  // namespace glia::ops
