// The segmentation losses with the sigmoid fused in: one pass forward, one backward. Sums are
// formed a run at a time in float32 and merged in double and in order. Formulas:
// kernels/api/loss.h.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/loss.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/kernels.h"
#include "kernels/cpu/map-inl.h"
#include "kernels/cpu/sigmoid-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

/// out[0] = sum of p * t, out[1] = sum of p, out[2] = sum of t, with p = sigmoid(z).
void region_sums(const float* z, const float* t, std::int64_t count, double* out) {
  out[0] = sum_map(
      count, [](auto d, auto z_, auto t_) HWY_ATTR { return hn::Mul(sigmoid(d, z_), t_); }, z, t);
  out[1] = sum_map(
      count, [](auto d, auto z_) HWY_ATTR { return sigmoid(d, z_); }, z);
  out[2] = sum_map(
      count, [](auto, auto t_) HWY_ATTR { return t_; }, t);
}

/// dz (+)= p (1 - p) (a + b t).
void region_gradient(float* dz, Write write, const float* z, const float* t, std::int64_t count,
                     float a, float b) {
  map(
      dz, write, count,
      [a, b](auto d, auto z_, auto t_) HWY_ATTR {
        // p (1 - p) = e / (1 + e)^2 with e = exp(-|z|): exact on both sides, where 1 - p would be 0
        // from z = 17 on and a confidently wrong pixel would never be corrected.
        const auto e = hn::Exp(d, hn::Max(hn::Neg(hn::Abs(z_)), hn::Set(d, -87.0f)));
        const auto sum = hn::Add(hn::Set(d, 1.0f), e);
        const auto slope = hn::Div(e, hn::Mul(sum, sum));
        const auto dz_ = hn::Mul(slope, hn::MulAdd(hn::Set(d, b), t_, hn::Set(d, a)));
        return hn::IfThenElse(hn::IsNaN(z_), z_, dz_);  // Max and Exp lose it
      },
      z, t);
}

double bce_run(const float* z, const float* t, std::int64_t count) {
  return sum_map(
      count,
      [](auto d, auto z_, auto t_) HWY_ATTR {
        const auto positive = hn::IfThenElse(hn::Lt(z_, hn::Zero(d)), hn::Zero(d), z_);
        // Exp underflows to 0 far below; -87 keeps its argument where it is exact.
        const auto power = hn::Max(hn::Neg(hn::Abs(z_)), hn::Set(d, -87.0f));
        return hn::Add(hn::NegMulAdd(z_, t_, positive), hn::Log1p(d, hn::Exp(d, power)));
      },
      z, t);
}

void bce_gradient(float* dz, Write write, const float* z, const float* t, std::int64_t count,
                  float factor) {
  map(
      dz, write, count,
      [factor](auto d, auto z_, auto t_)
          HWY_ATTR { return hn::Mul(hn::Set(d, factor), hn::Sub(sigmoid(d, z_), t_)); },
      z, t);
}

/// counts[0] = true positives, [1] = false positives, [2] = false negatives of a run.
void count_run(const float* prediction, const float* target, std::int64_t count, float t,
               double* counts) {
  const auto sum = [&](auto f) HWY_ATTR { return sum_map(count, f, prediction, target); };
  const auto positive = [t](auto d, auto p) HWY_ATTR { return hn::Gt(p, hn::Set(d, t)); };
  const auto truth = [](auto d, auto v) HWY_ATTR { return hn::Gt(v, hn::Set(d, 0.5f)); };
  const auto one = [](auto d, auto mask)
                       HWY_ATTR { return hn::IfThenElseZero(mask, hn::Set(d, 1.0f)); };
  counts[0] = sum([&](auto d, auto p, auto v)
                      HWY_ATTR { return one(d, hn::And(positive(d, p), truth(d, v))); });
  counts[1] = sum([&](auto d, auto p, auto v)
                      HWY_ATTR { return one(d, hn::AndNot(truth(d, v), positive(d, p))); });
  counts[2] = sum([&](auto d, auto p, auto v)
                      HWY_ATTR { return one(d, hn::AndNot(positive(d, p), truth(d, v))); });
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

#include "engine/base/check.h"

namespace glia::cpu {

HWY_EXPORT(region_sums);
HWY_EXPORT(region_gradient);
HWY_EXPORT(bce_run);
HWY_EXPORT(bce_gradient);
HWY_EXPORT(count_run);

namespace {

/// A region's elements: the whole batch or one image.
struct Regions {
  std::int64_t count, elements;
  Regions(const ConstView& v, Region region)
      : count(region == Region::batch ? 1 : v.shape[0]), elements(v.shape.numel() / count) {}
};

/// Runs `fn(run of one region, partial + 3 * run)` over all regions and calls `done(region, sums)`
/// with the three ordered sums of each.
template <class Fn, class Done>
void sum_regions(KernelContext& context, const Regions& regions, const Fn& fn, const Done& done) {
  const std::int64_t runs = dense_runs(regions.elements);
  auto* partial = context.workspace.array<double>(regions.count * runs * 3);
  parallel_for(context, regions.count * runs, [&](std::int64_t i) {
    Run run = dense_run(i % runs, regions.elements);
    run.first += i / runs * regions.elements;
    fn(run, partial + 3 * i);
  });
  for (std::int64_t region = 0; region < regions.count; ++region) {
    double sums[3] = {};
    for (std::int64_t i = region * runs; i < (region + 1) * runs; ++i)
      for (int k = 0; k < 3; ++k) sums[k] += partial[3 * i + k];
    done(region, sums);
  }
}

void check_dense(const char* op, const ConstView& a, const ConstView& b) {
  check(a.dense() && b.dense(), "{}: found a channel slice, expected dense tensors", op);
}

/// Forward pass of a region loss. `keep(sums)` gives the pair to save, `loss(pair)` a region's
/// loss.
template <class Args, class Keep, class Loss>
void region_forward(KernelContext& context, const Args& a, const Keep& keep, const Loss& loss) {
  check_dense(kernel_name<Args>, a.logits, a.target);
  const Regions regions(a.logits, a.region);
  double total = 0;
  sum_regions(
      context, regions,
      [&](const Run& run, double* out) {
        HWY_DYNAMIC_DISPATCH(region_sums)(run.of(a.logits), run.of(a.target), run.count, out);
      },
      [&](std::int64_t region, const double* sums) {
        double* pair = a.sums.template as<double>() + 2 * region;
        keep(sums, pair);
        total += loss(pair);
      });
  *a.loss.template as<float>() = static_cast<float>(total / static_cast<double>(regions.count));
}

/// The mean of `loss(pair)` over the regions whose sums are given.
template <class Args, class Loss>
void loss_of_sums(const Args& a, const Loss& loss) {
  const std::int64_t regions = a.sums.rows();
  double total = 0;
  for (std::int64_t i = 0; i < regions; ++i)
    total += loss(a.sums.template as<double>() + 2 * i, a.smooth);
  *a.loss.template as<float>() = static_cast<float>(total / static_cast<double>(regions));
}

double iou_of(const double* pair, double smooth) {
  return -std::log((pair[0] + smooth) / (pair[1] + smooth));
}

double dice_of(const double* pair, double smooth) {
  return 1 - (2 * pair[0] + smooth) / (pair[1] + smooth);
}

/// Backward pass: `factors(pair)` gives a and b of dp = a + b t.
template <class Args, class Factors>
void region_backward(KernelContext& context, const Args& a, const Factors& factors) {
  check_dense(kernel_name<Args>, a.logits, a.target);
  check_dense(kernel_name<Args>, a.dlogits, a.logits);
  const Regions regions(a.logits, a.region);
  const double dloss = *a.dloss.template as<float>() / static_cast<double>(regions.count);
  const std::int64_t runs = dense_runs(regions.elements);
  parallel_for(context, regions.count * runs, [&](std::int64_t i) {
    Run run = dense_run(i % runs, regions.elements);
    run.first += i / runs * regions.elements;
    const auto [constant, slope] = factors(a.sums.template as<double>() + 2 * (i / runs));
    HWY_DYNAMIC_DISPATCH(region_gradient)
    (run.of(a.dlogits), a.write, run.of(a.logits), run.of(a.target), run.count,
     static_cast<float>(dloss * constant), static_cast<float>(dloss * slope));
  });
}

}  // namespace

void iou_loss_forward(KernelContext& context, const IouLossForward& a) {
  region_forward(
      context, a,
      [](const double* sums, double* pair) {
        pair[0] = sums[0];
        pair[1] = sums[1] + sums[2] - sums[0];
      },
      [&](const double* pair) { return iou_of(pair, a.smooth); });
}

void iou_loss_of_sums(KernelContext&, const IouLossOfSums& a) {
  loss_of_sums(a, iou_of);
}

void iou_loss_backward(KernelContext& context, const IouLossBackward& a) {
  region_backward(context, a, [&](const double* pair) {
    const double i = 1 / (pair[0] + a.smooth), u = 1 / (pair[1] + a.smooth);
    return std::pair(u, -u - i);
  });
}

void dice_loss_forward(KernelContext& context, const DiceLossForward& a) {
  region_forward(
      context, a,
      [](const double* sums, double* pair) {
        pair[0] = sums[0];
        pair[1] = sums[1] + sums[2];
      },
      [&](const double* pair) { return dice_of(pair, a.smooth); });
}

void dice_loss_of_sums(KernelContext&, const DiceLossOfSums& a) {
  loss_of_sums(a, dice_of);
}

void dice_loss_backward(KernelContext& context, const DiceLossBackward& a) {
  region_backward(context, a, [&](const double* pair) {
    const double d = pair[1] + a.smooth;
    return std::pair((2 * pair[0] + a.smooth) / (d * d), -2 / d);
  });
}

void bce_with_logits_forward(KernelContext& context, const BceWithLogitsForward& a) {
  check_dense(kernel_name<BceWithLogitsForward>, a.logits, a.target);
  const Regions all(a.logits, Region::batch);
  sum_regions(
      context, all,
      [&](const Run& run, double* out) {
        out[0] = HWY_DYNAMIC_DISPATCH(bce_run)(run.of(a.logits), run.of(a.target), run.count);
        out[1] = out[2] = 0;
      },
      [&](std::int64_t, const double* sums) {
        *a.loss.as<float>() = static_cast<float>(sums[0] / static_cast<double>(all.elements));
      });
}

void bce_with_logits_backward(KernelContext& context, const BceWithLogitsBackward& a) {
  check_dense(kernel_name<BceWithLogitsBackward>, a.logits, a.target);
  const auto factor =
      static_cast<float>(*a.dloss.as<float>() / static_cast<double>(a.logits.shape.numel()));
  for_runs(context, a.logits.shape, a.dlogits.dense(), [&](const Run& run) {
    HWY_DYNAMIC_DISPATCH(bce_gradient)
    (run.of(a.dlogits), a.write, run.of(a.logits), run.of(a.target), run.count, factor);
  });
}

void confusion_counts(KernelContext& context, const ConfusionCounts& a) {
  check_dense(kernel_name<ConfusionCounts>, a.prediction, a.target);
  const Regions images(a.prediction, Region::image);
  sum_regions(
      context, images,
      [&](const Run& run, double* out) {
        HWY_DYNAMIC_DISPATCH(count_run)
        (run.of(a.prediction), run.of(a.target), run.count, static_cast<float>(a.t), out);
      },
      [&](std::int64_t image, const double* sums) {
        auto* row = a.counts.as<std::int64_t>() + 4 * image;
        std::int64_t rest = images.elements;
        for (int k = 0; k < 3; ++k) rest -= row[k] = static_cast<std::int64_t>(sums[k]);
        row[3] = rest;
      });
}

}  // namespace glia::cpu
#endif
