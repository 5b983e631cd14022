// Batch norm with ReLU as a map that others apply while they read, and its backward pass. Formulas:
// kernels/api/norm_relu.h.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/batch_norm_relu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>
#include <vector>

#include "kernels/cpu/channels-inl.h"
#include "kernels/cpu/conv/conv_passes.h"
#include "kernels/cpu/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

void moments_of(KernelContext& context, const ConstView& x, const View& moments_) {
  auto* scratch = context.workspace.array<float>(3 * kMaxSlabs * x.channels());
  if (context.dry_run) return;
  auto* mean = moments_.as<double>();
  moments(context, x, 0, x.rows(), mean, mean + moments_.pitch, scratch);
}

void channel_moments(KernelContext& context, const ChannelMoments& a) {
  moments_of(context, a.x, a.moments);
}

/// A gradient that is dy where the map of x is above its floor, else 0; NaN where the map is NaN.
struct Masked {
  const ConstView& dy;
  const MapRows& map;
  HWY_INLINE FloatVec operator()(Floats d, std::int64_t row, std::int64_t c, std::int64_t count,
                                 FloatVec x) const {
    const FloatVec g = read_ahead(d, dy, row, c, count);
    const FloatVec floor = load_some(d, map.floor + c, count);
    const FloatVec y = map.apply_some(d, x, c, count);
    return hn::IfThenElse(hn::IsNaN(y), y, hn::IfThenElseZero(hn::Gt(y, floor), g));
  }
};

/// dx by the sums `sum` and `dot` of dz over `rows`. `factors` has 3 * C floats.
template <class Args>
void apply_gradient(KernelContext& context, const Args& a, const double* sum, const double* dot,
                    std::int64_t rows, float* factors) {
  const std::int64_t C = a.x.channels();
  for (std::int64_t c = 0; c < C; ++c) {
    const NormGradient g{.sum = sum[c],
                         .dot = dot[c],
                         .gamma = a.gamma.template as<float>()[c],
                         .invstd = a.invstd.template as<float>()[c]};
    g.factors(static_cast<double>(rows), factors + c, C);
  }
  const MapRows map(a.map);
  normalise_backward(context, a.x, a.dx, Write::overwrite, 0, a.x.rows(),
                     a.mean.template as<float>(), factors, factors + C, factors + 2 * C,
                     Masked{a.dy, map});
}

/// The sums of dz over these rows, and dgamma and dbeta. `scratch` has 2 * kMaxSlabs * C floats.
template <class Args>
void sum_gradient(KernelContext& context, const Args& a, double* sum, double* dot, float* scratch) {
  const MapRows map(a.map);
  gradient_sums(context, a.x, a.mean.template as<float>(), 0, a.x.rows(), sum, dot, scratch,
                Masked{a.dy, map});
  for (std::int64_t c = 0; c < a.x.channels(); ++c) {
    store(a.dgamma, c, dot[c] * static_cast<double>(a.invstd.template as<float>()[c]),
          a.write_params);
    store(a.dbeta, c, sum[c], a.write_params);
  }
}

void batch_norm_relu_backward_train(KernelContext& context, const BatchNormReluBackwardTrain& a) {
  const std::int64_t C = a.x.channels();
  auto* scratch = context.workspace.array<float>((2 * kMaxSlabs + 3) * C);
  std::vector<double> sums(static_cast<std::size_t>(C)), dots(sums.size());
  sum_gradient(context, a, sums.data(), dots.data(), scratch);
  if (a.dx)
    apply_gradient(context, a, sums.data(), dots.data(), a.x.rows(), scratch + 2 * kMaxSlabs * C);
}

void batch_norm_relu_backward_sums(KernelContext& context, const BatchNormReluBackwardSums& a) {
  auto* scratch = context.workspace.array<float>(2 * kMaxSlabs * a.x.channels());
  auto* sums = a.sums.as<double>();
  if (context.dry_run) return;
  sum_gradient(context, a, sums, sums + a.sums.pitch, scratch);
}

void batch_norm_relu_backward_apply(KernelContext& context, const BatchNormReluBackwardApply& a) {
  auto* factors = context.workspace.array<float>(3 * a.x.channels());
  const auto* sums = a.sums.as<double>();
  apply_gradient(context, a, sums, sums + a.sums.pitch, a.rows, factors);
}

void batch_norm_relu_backward_eval(KernelContext& context, const BatchNormReluBackwardEval& a) {
  const std::int64_t C = a.x.channels();
  auto* scratch = context.workspace.array<float>((2 * kMaxSlabs + 1) * C);
  float* zero = scratch + 2 * kMaxSlabs * C;
  std::fill(zero, zero + C, 0.0f);
  std::vector<double> sums(static_cast<std::size_t>(C)), dots(sums.size());
  const MapRows map(a.map);
  const float* mean = a.running_mean.as<float>();
  const Masked dz{a.dy, map};
  gradient_sums(context, a.x, mean, 0, a.x.rows(), sums.data(), dots.data(), scratch, dz);
  for (std::int64_t c = 0; c < C; ++c) {
    const auto i = static_cast<std::size_t>(c);
    const double var = a.running_var.as<float>()[c];
    store(a.dgamma, c, dots[i] / std::sqrt(var + a.epsilon), a.write_params);
    store(a.dbeta, c, sums[i], a.write_params);
  }
  if (a.dx)
    normalise_backward(context, a.x, a.dx, Write::overwrite, 0, a.x.rows(), mean, map.scale, zero,
                       zero, dz);
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::cpu {
GLIA_DISPATCH(channel_moments, ChannelMoments)
GLIA_DISPATCH(batch_norm_relu_backward_train, BatchNormReluBackwardTrain)
GLIA_DISPATCH(batch_norm_relu_backward_sums, BatchNormReluBackwardSums)
GLIA_DISPATCH(batch_norm_relu_backward_apply, BatchNormReluBackwardApply)
GLIA_DISPATCH(batch_norm_relu_backward_eval, BatchNormReluBackwardEval)

HWY_EXPORT(moments_of);
void moments_of(KernelContext& context, const ConstView& x, const View& moments) {
  HWY_DYNAMIC_DISPATCH(moments_of)(context, x, moments);
}

namespace {

struct MapTarget {
  float *scale, *shift, *floor;
  explicit MapTarget(const View& map)
      : scale(map.as<float>()), shift(scale + map.pitch), floor(shift + map.pitch) {}
  void set(std::int64_t c, double factor, double beta, double mean) const {
    scale[c] = static_cast<float>(factor);
    shift[c] = static_cast<float>(beta - mean * factor);
    floor[c] = 0;
  }
};

}  // namespace

void batch_norm_relu_map_train(KernelContext&, const BatchNormReluMapTrain& a) {
  const MapTarget map(a.map);
  const auto* mean = a.moments.as<double>();
  const double* squares = mean + a.moments.pitch;
  for (std::int64_t c = 0; c < a.map.channels(); ++c) {
    const double invstd = batch_statistics(a, c, mean[c], squares[c], static_cast<double>(a.rows));
    map.set(c, a.gamma.as<float>()[c] * invstd, a.beta.as<float>()[c], mean[c]);
  }
}

void batch_norm_relu_map_eval(KernelContext&, const BatchNormReluMapEval& a) {
  const MapTarget map(a.map);
  for (std::int64_t c = 0; c < a.map.channels(); ++c) {
    const double var = a.running_var.as<float>()[c];
    map.set(c, a.gamma.as<float>()[c] / std::sqrt(var + a.epsilon), a.beta.as<float>()[c],
            a.running_mean.as<float>()[c]);
  }
}

}  // namespace glia::cpu
#endif
