// materialise, alone and with max_pool2d in the same pass. More cases stand with batch_norm_relu,
// whose results it writes down.
#include "benchmarks/cases/operation.h"
#include "engine/ops/ops.h"

namespace glia::cases {

namespace {

Case materialise_case(const Shape& x, bool pool) {
  return {.op = "batch_norm_relu",
          .text = x.str(),
          .inputs = {{.shape = x, .fill = Fill::off_zero, .min_nonzero = 0.2}},
          .build =
              [pool](Tape& tape, std::span<const Tensor> in, const Tensor& out) {
                const Tensor y = ops::deferred_relu(tape, in[0]);
                return pool ? ops::materialise_pool(tape, y, out).y
                            : ops::materialise(tape, y, out);
              },
          .takes_out = true};
}

std::vector<Case> materialise_at(const Dimensions& d) {
  std::vector<Case> cases{materialise_case(d.shape, false)};
  cases.back().name = "plain";
  if (d.shape[1] > 1 && d.shape[2] > 1) {  // a window of 2x2 fits
    cases.push_back(materialise_case(d.shape, true));
    cases.back().name = "pool";
  }
  return cases;
}

}  // namespace

Operation materialise_operation() {
  return {.name = "materialise", .at = materialise_at};
}

}  // namespace glia::cases
