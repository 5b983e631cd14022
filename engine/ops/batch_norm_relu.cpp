// a = max(gamma * xhat + beta, 0), not stored: a deferred tensor over x. Backward: dz = dy where a
// > 0, because elsewhere a is constant, then batch_norm's backward of dz; dx takes the memory of
// dy. Saved: x, the map, mean and invstd. docs/ops/batch_norm_relu.md
#include "engine/comm/communicator.h"
#include "engine/ops/common.h"
#include "engine/ops/norm_params.h"
#include "engine/ops/ops.h"
#include "engine/ops/ranks.h"

namespace glia::ops {

namespace {

constexpr const char* kOp = "batch_norm_relu";

/// dx lies where dy does: what nobody else holds may be overwritten.
View in_place(const Tensor& x, const Tensor& dy) {
  return x.wants_grad() ? dy.view() : View();
}

Tensor with_running(Tape& tape, const Tensor& x, const Tensor& gamma, const Tensor& beta,
                    const BatchNormState& state) {
  const Tensor map = batch_norm_relu_map(tape, gamma, beta, state);
  const Tensor y = x.deferred(map);
  tape.record(kOp, {x, gamma, beta}, y, [x, gamma, beta, map, state](Tape& t, const Tensor& dy) {
    const NormParamTargets p(kOp, t, gamma, beta);
    run<&KernelTable::batch_norm_relu_backward_eval>(t.device(),
                                                     {.dy = dy,
                                                      .x = x,
                                                      .map = map,
                                                      .gamma = gamma,
                                                      .running_mean = state.running_mean,
                                                      .running_var = state.running_var,
                                                      .dx = in_place(x, dy),
                                                      .dgamma = p.dgamma,
                                                      .dbeta = p.dbeta,
                                                      .epsilon = state.epsilon,
                                                      .write_params = p.write});
    if (x.wants_grad()) t.pass_grad(x, dy);
  });
  return y;
}

struct Saved {
  Tensor x, gamma, beta, map, mean, invstd;
  std::int64_t rows;  // of all ranks
};

void backward(Tape& t, const Saved& s, const Tensor& dy) {
  const NormParamTargets p(kOp, t, s.gamma, s.beta);
  run<&KernelTable::batch_norm_relu_backward_train>(t.device(), {.dy = dy,
                                                                 .x = s.x,
                                                                 .map = s.map,
                                                                 .gamma = s.gamma,
                                                                 .mean = s.mean,
                                                                 .invstd = s.invstd,
                                                                 .dx = in_place(s.x, dy),
                                                                 .dgamma = p.dgamma,
                                                                 .dbeta = p.dbeta,
                                                                 .write_params = p.write});
}

/// dx depends on the sums over all ranks; dgamma and dbeta are added up with all other gradients.
void backward_over_ranks(Tape& t, const Saved& s, const Tensor& dy) {
  const NormParamTargets p(kOp, t, s.gamma, s.beta);
  const Tensor sums = Tensor::empty(t.device(), {2, s.x.shape().channels()}, DType::f64);
  run<&KernelTable::batch_norm_relu_backward_sums>(t.device(), {.dy = dy,
                                                                .x = s.x,
                                                                .map = s.map,
                                                                .mean = s.mean,
                                                                .invstd = s.invstd,
                                                                .sums = sums,
                                                                .dgamma = p.dgamma,
                                                                .dbeta = p.dbeta,
                                                                .write_params = p.write});
  if (!s.x.wants_grad()) return;  // on no rank
  const Tensor all = sum_over_ranks(t, sums.slice(0, {1, sums.numel()})).slice(0, sums.shape());
  run<&KernelTable::batch_norm_relu_backward_apply>(t.device(), {.dy = dy,
                                                                 .x = s.x,
                                                                 .map = s.map,
                                                                 .gamma = s.gamma,
                                                                 .mean = s.mean,
                                                                 .invstd = s.invstd,
                                                                 .sums = all,
                                                                 .dx = dy,
                                                                 .rows = s.rows});
}

}  // namespace

Tensor batch_norm_relu_map(Tape& tape, const Tensor& gamma, const Tensor& beta,
                           const BatchNormState& state) {
  const Tensor map = Tensor::empty(tape.device(), {MapRow::count, gamma.numel()}, gamma.dtype());
  run<&KernelTable::batch_norm_relu_map_eval>(tape.device(), {.gamma = gamma,
                                                              .beta = beta,
                                                              .running_mean = state.running_mean,
                                                              .running_var = state.running_var,
                                                              .map = map,
                                                              .epsilon = state.epsilon});
  return map;
}

Tensor batch_norm_relu(Tape& tape, const WithMoments& input, const Tensor& gamma,
                       const Tensor& beta, const BatchNormState& state, bool training) {
  const Tensor& x = input.y;
  check_image(kOp, x);
  const std::int64_t channels = x.shape().channels(), rows = x.numel() / channels;
  check_vector(kOp, "gamma", gamma, channels);
  check_vector(kOp, "beta", beta, channels);
  check_vector(kOp, "running_mean", state.running_mean, channels);
  check_vector(kOp, "running_var", state.running_var, channels);
  check(state.epsilon > 0, "{}: epsilon is {}, expected more than 0", kOp, state.epsilon);
  if (!training) return with_running(tape, x, gamma, beta, state);

  const bool of_ranks = tape.device().ranks() != nullptr;
  const std::int64_t all_rows = rows * (of_ranks ? tape.device().ranks()->size() : 1);
  check(all_rows > 1, "{}: found one value a channel (input {}), expected two or more in training",
        kOp, x.shape().str());
  const Tensor map = Tensor::empty(tape.device(), {MapRow::count, channels}, gamma.dtype());
  Tensor moments = input.moments;
  if (!moments.defined()) {
    moments = Tensor::empty(tape.device(), {2, channels}, DType::f64);
    run<&KernelTable::channel_moments>(tape.device(), {.x = x, .moments = moments});
  }
  if (of_ranks) moments = merge_over_ranks(tape, moments, rows);
  const Tensor mean = Tensor::empty(tape.device(), {channels}, gamma.dtype());
  const Tensor invstd = Tensor::empty(tape.device(), {channels}, gamma.dtype());
  run<&KernelTable::batch_norm_relu_map_train>(tape.device(), {.moments = moments,
                                                               .gamma = gamma,
                                                               .beta = beta,
                                                               .map = map,
                                                               .mean = mean,
                                                               .invstd = invstd,
                                                               .running_mean = state.running_mean,
                                                               .running_var = state.running_var,
                                                               .rows = all_rows,
                                                               .momentum = state.momentum,
                                                               .epsilon = state.epsilon});
  const Tensor y = x.deferred(map);
  const Saved saved{x, gamma, beta, map, mean, invstd, all_rows};
  tape.record(kOp, {x, gamma, beta}, y, [saved, of_ranks](Tape& t, const Tensor& dy) {
    if (of_ranks)
      backward_over_ranks(t, saved, dy);
    else
      backward(t, saved, dy);
    if (saved.x.wants_grad()) t.pass_grad(saved.x, dy);
  });
  return y;
}

}  // namespace glia::ops
