// y = gamma * xhat + beta. In training xhat depends on every pixel of its channel through mean and
// variance, hence the two sums in dx; in evaluation the statistics are constants. Saved: x, mean,
// invstd (xhat is recomputed). docs/ops/batch_norm.md
#include "engine/ops/common.h"
#include "engine/ops/norm_params.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor batch_norm(Tape& tape, const Tensor& x, const Tensor& gamma, const Tensor& beta,
                  const BatchNormState& state, bool training, const Tensor& out) {
  const char* op = "batch_norm";
  check_image(op, x);
  const std::int64_t channels = x.shape().channels();
  check_vector(op, "gamma", gamma, channels);
  check_vector(op, "beta", beta, channels);
  check_vector(op, "running_mean", state.running_mean, channels);
  check_vector(op, "running_var", state.running_var, channels);
  check(state.epsilon > 0, "batch_norm: epsilon is {}, expected more than 0", state.epsilon);
  Tensor y = result(op, x, x.shape(), out);

  if (!training) {
    run<&KernelTable::batch_norm_forward_eval>(tape.device(), {.x = x,
                                                               .gamma = gamma,
                                                               .beta = beta,
                                                               .running_mean = state.running_mean,
                                                               .running_var = state.running_var,
                                                               .y = y,
                                                               .epsilon = state.epsilon});
    tape.record(op, {x, gamma, beta}, y, [x, gamma, beta, state](Tape& t, const Tensor& dy) {
      const NormParamTargets p("batch_norm", t, gamma, beta);
      const GradTarget dx = x.wants_grad() ? t.grad_target(x) : GradTarget{};
      run<&KernelTable::batch_norm_backward_eval>(t.device(), {.dy = dy,
                                                               .x = x,
                                                               .gamma = gamma,
                                                               .running_mean = state.running_mean,
                                                               .running_var = state.running_var,
                                                               .dx = dx.view,
                                                               .dgamma = p.dgamma,
                                                               .dbeta = p.dbeta,
                                                               .epsilon = state.epsilon,
                                                               .write = dx.write,
                                                               .write_params = p.write});
    });
    return y;
  }

  check(tape.device().ranks() == nullptr,
        "unsupported: {}: the backend '{}' does not share the statistics of a batch between ranks; "
        "choose --backend native, --norm group or --norm none",
        op, tape.device().kernels().name);
  check(x.numel() / channels > 1,
        "batch_norm: found one value a channel (input {}), expected two or more in training",
        x.shape().str());
  Tensor mean = Tensor::empty(tape.device(), {channels}, gamma.dtype());
  Tensor invstd = Tensor::empty(tape.device(), {channels}, gamma.dtype());
  run<&KernelTable::batch_norm_forward_train>(tape.device(), {.x = x,
                                                              .gamma = gamma,
                                                              .beta = beta,
                                                              .y = y,
                                                              .mean = mean,
                                                              .invstd = invstd,
                                                              .running_mean = state.running_mean,
                                                              .running_var = state.running_var,
                                                              .momentum = state.momentum,
                                                              .epsilon = state.epsilon});
  tape.record(op, {x, gamma, beta}, y, [x, gamma, beta, mean, invstd](Tape& t, const Tensor& dy) {
    const NormParamTargets p("batch_norm", t, gamma, beta);
    const GradTarget dx = x.wants_grad() ? t.grad_target(x) : GradTarget{};
    run<&KernelTable::batch_norm_backward_train>(t.device(), {.dy = dy,
                                                              .x = x,
                                                              .gamma = gamma,
                                                              .mean = mean,
                                                              .invstd = invstd,
                                                              .dx = dx.view,
                                                              .dgamma = p.dgamma,
                                                              .dbeta = p.dbeta,
                                                              .write = dx.write,
                                                              .write_params = p.write});
  });
  return y;
}

}  // namespace glia::ops
