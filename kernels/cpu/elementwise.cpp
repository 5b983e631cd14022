// The element-wise kernels of kernels/api/elementwise.h: one vector expression each.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/elementwise.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/kernels.h"
#include "kernels/cpu/map-inl.h"
#include "kernels/cpu/sigmoid-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

void relu_forward(KernelContext& context, const ReluForward& a) {
  // Max(x, 0) would turn NaN into 0 on x86; a NaN must reach the loss to be noticed.
  const auto f = [](auto d, auto x)
                     HWY_ATTR { return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Zero(d), x); };
  map_views(context, a.y, Write::overwrite, f, a.x);
}

void relu_backward(KernelContext& context, const ReluBackward& a) {
  const auto f = [](auto d, auto dy, auto y) HWY_ATTR {
    const auto dx = hn::IfThenElseZero(hn::Gt(y, hn::Zero(d)), dy);
    return hn::IfThenElse(hn::IsNaN(y), y, dx);
  };
  map_views(context, a.dx, a.write, f, a.dy, a.y);
}

void sigmoid_forward(KernelContext& context, const SigmoidForward& a) {
  const auto f = [](auto d, auto x) HWY_ATTR { return sigmoid(d, x); };
  map_views(context, a.y, Write::overwrite, f, a.x);
}

void sigmoid_backward(KernelContext& context, const SigmoidBackward& a) {
  const auto f = [](auto d, auto dy, auto y)
                     HWY_ATTR { return hn::Mul(dy, hn::Mul(y, hn::Sub(hn::Set(d, 1.0f), y))); };
  map_views(context, a.dx, a.write, f, a.dy, a.y);
}

void add(KernelContext& context, const Add& a) {
  const auto f = [](auto, auto u, auto v) HWY_ATTR { return hn::Add(u, v); };
  map_views(context, a.y, Write::overwrite, f, a.a, a.b);
}

void mul(KernelContext& context, const Mul& a) {
  const auto f = [](auto, auto u, auto v) HWY_ATTR { return hn::Mul(u, v); };
  map_views(context, a.y, a.write, f, a.a, a.b);
}

void scale(KernelContext& context, const Scale& a) {
  const auto alpha = static_cast<float>(a.alpha);
  const auto f = [alpha](auto d, auto x) HWY_ATTR { return hn::Mul(x, hn::Set(d, alpha)); };
  map_views(context, a.y, a.write, f, a.x);
}

void fill(KernelContext& context, const Fill& a) {
  const auto value = static_cast<float>(a.alpha * (a.scalar ? *a.scalar.as<float>() : 1.0f));
  const auto f = [value](auto d) HWY_ATTR { return hn::Set(d, value); };
  map_views(context, a.y, a.write, f);
}

void threshold(KernelContext& context, const Threshold& a) {
  const auto t = static_cast<float>(a.t);
  const auto f = [t](auto d, auto x) HWY_ATTR {
    const auto mask = hn::IfThenElseZero(hn::Gt(x, hn::Set(d, t)), hn::Set(d, 1.0f));
    return hn::IfThenElse(hn::IsNaN(x), x, mask);
  };
  map_views(context, a.mask, Write::overwrite, f, a.x);
}

double sum_run(const float* x, std::int64_t count) {
  return sum_map(
      count, [](auto, auto v) HWY_ATTR { return v; }, x);
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::cpu {

GLIA_DISPATCH(relu_forward, ReluForward)
GLIA_DISPATCH(relu_backward, ReluBackward)
GLIA_DISPATCH(sigmoid_forward, SigmoidForward)
GLIA_DISPATCH(sigmoid_backward, SigmoidBackward)
GLIA_DISPATCH(add, Add)
GLIA_DISPATCH(mul, Mul)
GLIA_DISPATCH(scale, Scale)
GLIA_DISPATCH(fill, Fill)
GLIA_DISPATCH(threshold, Threshold)

HWY_EXPORT(sum_run);

void sum(KernelContext& context, const Sum& a) {
  const bool dense = a.x.dense();
  const std::int64_t elements = a.x.shape.numel();
  const std::int64_t runs = dense ? dense_runs(elements) : a.x.rows();
  auto* partial = context.workspace.array<double>(runs);
  parallel_for(context, runs, [&](std::int64_t i) {
    const Run run = dense ? dense_run(i, elements) : Run{i, 0, a.x.channels()};
    partial[i] = HWY_DYNAMIC_DISPATCH(sum_run)(run.of(a.x), run.count);
  });
  double total = 0;
  for (std::int64_t i = 0; i < runs; ++i) total += partial[i];
  *a.y.as<float>() = static_cast<float>(a.alpha * total);
}

}  // namespace glia::cpu
#endif
