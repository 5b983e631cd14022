// The inputs already lie side by side in one buffer, so forward only names their union, and each
// input's gradient is a channel slice of dy itself. docs/ops/concat.md
#include <vector>

#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor concat(Tape& tape, std::span<const Tensor> inputs) {
  for (const Tensor& x : inputs) check_image("concat", x);
  Tensor y = Tensor::join_channels(inputs);
  for (const Tensor& x : inputs) {
    if (!x.wants_grad()) continue;
    // One node serves all inputs; any of them that wants a gradient makes the result want one.
    tape.record(
        "concat", {x}, y,
        [parts = std::vector<Tensor>(inputs.begin(), inputs.end())](Tape& t, const Tensor& dy) {
          std::int64_t first = 0;
          for (const Tensor& part : parts) {
            const std::int64_t count = part.shape().channels();
            if (part.wants_grad()) t.pass_grad(part, dy.channels(first, count));
            first += count;
          }
        });
    break;
  }
  return y;
}

}  // namespace glia::ops
