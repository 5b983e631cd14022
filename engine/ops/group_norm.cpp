// Like batch_norm in training, with statistics an image and group; nothing differs at evaluation.
// Saved: x, mean, invstd. docs/ops/group_norm.md
#include "engine/ops/common.h"
#include "engine/ops/norm_params.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor group_norm(Tape& tape, const Tensor& x, const Tensor& gamma, const Tensor& beta,
                  std::int64_t groups, double epsilon, const Tensor& out) {
  const char* op = "group_norm";
  check_image(op, x);
  const std::int64_t channels = x.shape().channels();
  check_vector(op, "gamma", gamma, channels);
  check_vector(op, "beta", beta, channels);
  check(groups >= 1 && channels % groups == 0,
        "group_norm: found {} groups for {} channels, expected a divisor", groups, channels);
  check(epsilon > 0, "group_norm: epsilon is {}, expected more than 0", epsilon);
  Tensor y = result(op, x, x.shape(), out);
  const Shape stats{x.shape()[0], groups};
  Tensor mean = Tensor::empty(tape.device(), stats, gamma.dtype());
  Tensor invstd = Tensor::empty(tape.device(), stats, gamma.dtype());
  run<&KernelTable::group_norm_forward>(tape.device(), {.x = x,
                                                        .gamma = gamma,
                                                        .beta = beta,
                                                        .y = y,
                                                        .mean = mean,
                                                        .invstd = invstd,
                                                        .groups = groups,
                                                        .epsilon = epsilon});
  tape.record(op, {x, gamma, beta}, y,
              [x, gamma, beta, mean, invstd, groups](Tape& t, const Tensor& dy) {
                const NormParamTargets p("group_norm", t, gamma, beta);
                const GradTarget dx = x.wants_grad() ? t.grad_target(x) : GradTarget{};
                run<&KernelTable::group_norm_backward>(t.device(), {.dy = dy,
                                                                    .x = x,
                                                                    .gamma = gamma,
                                                                    .mean = mean,
                                                                    .invstd = invstd,
                                                                    .dx = dx.view,
                                                                    .dgamma = p.dgamma,
                                                                    .dbeta = p.dbeta,
                                                                    .groups = groups,
                                                                    .write = dx.write,
                                                                    .write_params = p.write});
              });
  return y;
}

}  // namespace glia::ops
