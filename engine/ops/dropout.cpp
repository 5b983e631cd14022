// y = x * mask / (1 - p); dx = dy * mask / (1 - p), since y is linear in x. Nothing is saved: the
// mask is a function of (seed, stream, element) and is drawn again. docs/ops/dropout.md
#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor dropout(Tape& tape, const Tensor& x, double p, std::uint64_t seed, std::uint64_t stream,
               const Tensor& out, const Tensor& counter, std::uint64_t first) {
  check_operand("dropout", "input", x);
  check(p >= 0 && p < 1, "dropout: found p = {}, expected 0 <= p < 1", p);
  check(first % 4 == 0, "dropout: the first element is number {}, expected a multiple of four",
        first);
  Tensor y = result("dropout", x, x.shape(), out);
  run<&KernelTable::dropout>(
      tape.device(),
      {.x = x, .counter = counter, .y = y, .p = p, .seed = seed, .stream = stream, .first = first});
  tape.record("dropout", {x}, y, [x, p, seed, stream, first, counter](Tape& t, const Tensor& dy) {
    const GradTarget dx = t.grad_target(x);
    run<&KernelTable::dropout>(t.device(), {.x = dy,
                                            .counter = counter,
                                            .y = dx.view,
                                            .p = p,
                                            .seed = seed,
                                            .stream = stream,
                                            .first = first,
                                            .write = dx.write});
  });
  return y;
}

}  // namespace glia::ops
