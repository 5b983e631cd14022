// y = the sum of the rows of `parts`, in the order that ranks and shards share. Not differentiable:
// it adds up gradients and sums, not activations. docs/ops/fold.md
#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor fold(Tape& tape, const Tensor& parts) {
  check(parts.defined() && parts.shape().rank() == 2 && parts.numel() > 0,
        "fold: found {}, expected non-empty [parts, n]",
        parts.defined() ? parts.shape().str() : "no tensor");
  run<&KernelTable::fold>(tape.device(), {.parts = parts});
  return parts.slice(0, {parts.shape()[1]});
}

}  // namespace glia::ops
