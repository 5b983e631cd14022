// Batch norm over the rows of NHWC views. Forward: one pass for the moments, one to apply.
// Backward: one pass for the two sums, one for dx. Formulas: kernels/api/batch_norm.h.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/batch_norm.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>
#include <vector>

#include "kernels/cpu/channels-inl.h"
#include "kernels/cpu/conv/conv_passes.h"
#include "kernels/cpu/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

void batch_norm_forward_train(KernelContext& context, const BatchNormForwardTrain& a) {
  const std::int64_t C = a.x.channels(), rows = a.x.rows();
  auto* scratch = context.workspace.array<float>(3 * kMaxSlabs * C);
  std::vector<double> mean(static_cast<std::size_t>(C)), m2(mean.size());
  moments(context, a.x, 0, rows, mean.data(), m2.data(), scratch);

  float* scale = scratch;
  for (std::int64_t c = 0; c < C; ++c) {
    const auto i = static_cast<std::size_t>(c);
    scale[c] = static_cast<float>(
        a.gamma.as<float>()[c] * batch_statistics(a, c, mean[i], m2[i], static_cast<double>(rows)));
  }
  normalise(context, a.x, a.y, 0, rows, a.mean.as<float>(), scale, a.beta.as<float>());
}

/// scale[c] = gamma / sqrt(var + epsilon) in scratch memory.
float* eval_scale(KernelContext& context, const ConstView& gamma, const ConstView& var,
                  double epsilon, std::int64_t C, std::size_t more_floats) {
  auto* scale = static_cast<float*>(
      context.workspace.reserve((static_cast<std::size_t>(C) + more_floats) * sizeof(float)));
  for (std::int64_t c = 0; c < C; ++c)
    scale[c] = static_cast<float>(gamma.as<float>()[c] /
                                  std::sqrt(static_cast<double>(var.as<float>()[c]) + epsilon));
  return scale;
}

void batch_norm_forward_eval(KernelContext& context, const BatchNormForwardEval& a) {
  const float* scale = eval_scale(context, a.gamma, a.running_var, a.epsilon, a.x.channels(), 0);
  normalise(context, a.x, a.y, 0, a.x.rows(), a.running_mean.as<float>(), scale,
            a.beta.as<float>());
}

void batch_norm_backward_train(KernelContext& context, const BatchNormBackwardTrain& a) {
  const std::int64_t C = a.x.channels(), rows = a.x.rows();
  auto* scratch = context.workspace.array<float>((2 * kMaxSlabs + 3) * C);
  std::vector<double> sums(static_cast<std::size_t>(C)), dots(sums.size());
  const float *mean = a.mean.as<float>(), *invstd = a.invstd.as<float>();
  const Unmasked dy{a.dy};
  gradient_sums(context, a.x, mean, 0, rows, sums.data(), dots.data(), scratch, dy);

  float* factors = scratch + 2 * kMaxSlabs * C;
  for (std::int64_t c = 0; c < C; ++c) {
    const NormGradient g{.sum = sums[static_cast<std::size_t>(c)],
                         .dot = dots[static_cast<std::size_t>(c)],
                         .gamma = a.gamma.as<float>()[c],
                         .invstd = invstd[c]};
    g.factors(static_cast<double>(rows), factors + c, C);
    store(a.dgamma, c, g.dgamma(), a.write_params);
    store(a.dbeta, c, g.dbeta(), a.write_params);
  }
  if (a.dx)
    normalise_backward(context, a.x, a.dx, a.write, 0, rows, mean, factors, factors + C,
                       factors + 2 * C, dy);
}

void batch_norm_backward_eval(KernelContext& context, const BatchNormBackwardEval& a) {
  const std::int64_t C = a.x.channels(), rows = a.x.rows();
  float* scale = eval_scale(context, a.gamma, a.running_var, a.epsilon, C,
                            static_cast<std::size_t>((2 * kMaxSlabs + 1) * C));
  float *zero = scale + C, *scratch = zero + C;
  std::fill(zero, zero + C, 0.0f);
  const float* mean = a.running_mean.as<float>();
  std::vector<double> sums(static_cast<std::size_t>(C)), dots(sums.size());
  const Unmasked dy{a.dy};
  gradient_sums(context, a.x, mean, 0, rows, sums.data(), dots.data(), scratch, dy);
  for (std::int64_t c = 0; c < C; ++c) {
    const auto i = static_cast<std::size_t>(c);
    const double var = a.running_var.as<float>()[c];
    store(a.dgamma, c, dots[i] / std::sqrt(var + a.epsilon), a.write_params);
    store(a.dbeta, c, sums[i], a.write_params);
  }
  if (a.dx) normalise_backward(context, a.x, a.dx, a.write, 0, rows, mean, scale, zero, zero, dy);
}

void column_sums(KernelContext& context, const ConstView& x, const View& sums, Write write) {
  const std::int64_t C = x.channels();
  auto* scratch = context.workspace.array<float>(2 * kMaxSlabs * C);
  if (context.dry_run) return;
  std::vector<double> totals(static_cast<std::size_t>(C)), unused(totals.size());
  const std::int64_t rows = x.rows(), slabs = slab_count(rows);
  parallel_for(context, slabs, [&](std::int64_t slab) HWY_ATTR {
    float* pair = scratch + slab * 2 * C;
    add_pairs(slab * rows / slabs, (slab + 1) * rows / slabs, C, pair, pair + C,
              [&](Floats d, std::int64_t row, std::int64_t c, std::int64_t count, FloatVec& a,
                  FloatVec&) HWY_ATTR { a = hn::Add(a, read_ahead(d, x, row, c, count)); });
  });
  add_slabs(slabs, C, scratch, totals.data(), unused.data());
  for (std::int64_t c = 0; c < C; ++c) store(sums, c, totals[static_cast<std::size_t>(c)], write);
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::cpu {
GLIA_DISPATCH(batch_norm_forward_train, BatchNormForwardTrain)
GLIA_DISPATCH(batch_norm_forward_eval, BatchNormForwardEval)
GLIA_DISPATCH(batch_norm_backward_train, BatchNormBackwardTrain)
GLIA_DISPATCH(batch_norm_backward_eval, BatchNormBackwardEval)

HWY_EXPORT(column_sums);
void column_sums(KernelContext& context, const ConstView& x, const View& sums, Write write) {
  HWY_DYNAMIC_DISPATCH(column_sums)(context, x, sums, write);
}
}  // namespace glia::cpu
#endif
