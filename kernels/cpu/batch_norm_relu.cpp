// Batch norm with ReLU as a map that others apply while they read, its backward pass, and the pass
// that writes the result down after all. Formulas: kernels/api/norm_relu.h.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/batch_norm_relu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cmath>
#include <vector>

#include "kernels/cpu/channels-inl.h"
#include "kernels/cpu/conv_passes.h"
#include "kernels/cpu/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

void moments_of(KernelContext& context, const ConstView& x, const View& moments_) {
  auto* scratch = static_cast<float*>(context.workspace.reserve(
      static_cast<std::size_t>(3 * kMaxSlabs * x.channels()) * sizeof(float)));
  if (context.dry_run) return;
  auto* mean = moments_.as<double>();
  moments(context, x, 0, x.rows(), mean, mean + moments_.pitch, scratch);
}

void channel_moments(KernelContext& context, const ChannelMoments& a) {
  moments_of(context, a.x, a.moments);
}

/// dz: dy where the map of x is above its floor, else 0.
HWY_INLINE FloatVec masked(Floats d, FloatVec dy, FloatVec x, const MapRows& map, std::int64_t c,
                           std::int64_t count) {
  const FloatVec floor = load_some(d, map.floor + c, count);
  return hn::IfThenElseZero(hn::Gt(map.apply_some(d, x, c, count), floor), dy);
}

/// sums[c] = sum of dz, dots[c] = sum of dz * (x - mean[c]). `scratch` has 2 * kMaxSlabs * C
/// floats.
void masked_sums(KernelContext& context, const ConstView& dy, const ConstView& x,
                 const MapRows& map, const float* mean, double* sums, double* dots,
                 float* scratch) {
  const std::int64_t C = x.channels(), rows = x.rows(), slabs = slab_count(rows);
  parallel_for(context, slabs, [&](std::int64_t slab) HWY_ATTR {
    float* s1 = scratch + slab * 2 * C;
    add_pairs(slab * rows / slabs, (slab + 1) * rows / slabs, C, s1, s1 + C,
              [&](Floats d, std::int64_t row, std::int64_t c, std::int64_t count, FloatVec& a,
                  FloatVec& b) HWY_ATTR {
                const FloatVec v = read_ahead(d, x, row, c, count);
                const FloatVec dz = masked(d, read_ahead(d, dy, row, c, count), v, map, c, count);
                a = hn::Add(a, dz);
                b = hn::MulAdd(dz, hn::Sub(v, load_some(d, mean + c, count)), b);
              });
  });
  add_slabs(slabs, C, scratch, sums, dots);
}

/// dx = a[c] * dz + b[c] * (x - mean[c]) + e[c]; dx may be dy.
void masked_backward(KernelContext& context, const ConstView& dy, const ConstView& x,
                     const MapRows& map, const View& dx, const float* mean, const float* a,
                     const float* b, const float* e) {
  for_channel_vectors(context, 0, x.rows(), x.channels(),
                      [&](Floats d, std::int64_t row, std::int64_t c, std::int64_t count) HWY_ATTR {
                        const FloatVec v = read_ahead(d, x, row, c, count);
                        const FloatVec dz =
                            masked(d, read_ahead(d, dy, row, c, count), v, map, c, count);
                        const FloatVec r = hn::MulAdd(
                            dz, load_some(d, a + c, count),
                            hn::MulAdd(hn::Sub(v, load_some(d, mean + c, count)),
                                       load_some(d, b + c, count), load_some(d, e + c, count)));
                        write_some(d, r, dx.as<float>() + row * dx.pitch + c, count, false);
                      });
}

void batch_norm_relu_backward_train(KernelContext& context, const BatchNormReluBackwardTrain& a) {
  const std::int64_t C = a.x.channels();
  auto* scratch = static_cast<float*>(
      context.workspace.reserve(static_cast<std::size_t>((2 * kMaxSlabs + 3) * C) * sizeof(float)));
  std::vector<double> sums(static_cast<std::size_t>(C)), dots(sums.size());
  const float *mean = a.mean.as<float>(), *invstd = a.invstd.as<float>();
  const MapRows map(a.map);
  masked_sums(context, a.dy, a.x, map, mean, sums.data(), dots.data(), scratch);
  float* factors = scratch + 2 * kMaxSlabs * C;
  const auto rows = static_cast<double>(a.x.rows());
  for (std::int64_t c = 0; c < C; ++c) {
    const NormGradient g{.sum = sums[static_cast<std::size_t>(c)],
                         .dot = dots[static_cast<std::size_t>(c)],
                         .gamma = a.gamma.as<float>()[c],
                         .invstd = invstd[c]};
    g.factors(rows, factors + c, C);
    store(a.dgamma, c, g.dgamma(), a.write_params);
    store(a.dbeta, c, g.dbeta(), a.write_params);
  }
  if (a.dx)
    masked_backward(context, a.dy, a.x, map, a.dx, mean, factors, factors + C, factors + 2 * C);
}

void batch_norm_relu_backward_eval(KernelContext& context, const BatchNormReluBackwardEval& a) {
  const std::int64_t C = a.x.channels();
  auto* scratch = static_cast<float*>(
      context.workspace.reserve(static_cast<std::size_t>((2 * kMaxSlabs + 1) * C) * sizeof(float)));
  float* zero = scratch + 2 * kMaxSlabs * C;
  std::fill(zero, zero + C, 0.0f);
  std::vector<double> sums(static_cast<std::size_t>(C)), dots(sums.size());
  const MapRows map(a.map);
  const float* mean = a.running_mean.as<float>();
  masked_sums(context, a.dy, a.x, map, mean, sums.data(), dots.data(), scratch);
  for (std::int64_t c = 0; c < C; ++c) {
    const auto i = static_cast<std::size_t>(c);
    const double var = a.running_var.as<float>()[c];
    store(a.dgamma, c, dots[i] / std::sqrt(var + a.epsilon), a.write_params);
    store(a.dbeta, c, sums[i], a.write_params);
  }
  if (a.dx) masked_backward(context, a.dy, a.x, map, a.dx, mean, map.scale, zero, zero);
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::cpu {
GLIA_DISPATCH(channel_moments, ChannelMoments)
GLIA_DISPATCH(batch_norm_relu_backward_train, BatchNormReluBackwardTrain)
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
