// One optimizer step over the flat buffers, a pass each. Formulas: kernels/api/optim.h.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/optim.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <atomic>
#include <cmath>

#include "engine/base/bf16.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

/// The learning rate of a step: that of `progress` when given.
template <class Args>
double rate_of(const Args& a) {
  return a.progress ? a.progress.template as<double>()[1] : a.lr;
}

/// Sets the word, which several threads may do at once.
inline void raise(const View& word) {
  std::atomic_ref(*word.as<std::int64_t>()).store(1, std::memory_order_relaxed);
}

/// Writes the run's new weights to the shadow.
inline void write_shadow(const View& w, const View& shadow, const Run& run) {
  const float* from = run.of(w);
  Bf16* to = shadow.as<Bf16>() + run.first;
  for (std::int64_t i = 0; i < run.count; ++i) to[i] = to_bf16(from[i]);
}

/// Calls `update(d, g, state...)`, which changes the state vectors in place, over all elements, and
/// raises `a.not_finite` where one of them is not finite then. `a.shadow` gets the new weights.
template <class Args, class F, class... State>
HWY_INLINE void update_views(KernelContext& context, const Args& a, const F& update,
                             const State&... state) {
  const ConstView& g = a.g;
  for_runs(context, g.shape, true, [&](const Run& run) HWY_ATTR {
    const Floats d;
    // The sum of 0 times every state: NaN as soon as one of them is NaN or infinite, else 0.
    FloatVec doubt = hn::Zero(d);
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const auto step = [&](auto load, auto store, std::int64_t i) HWY_ATTR {
      [&](auto... v) HWY_ATTR {
        update(d, load(run.of(g) + i), v...);
        (store(run.of(state) + i, v), ...);
        ((doubt = hn::MulAdd(v, hn::Zero(d), doubt)), ...);
      }(load(run.of(state) + i)...);
    };
    const auto load = [d](const float* p) HWY_ATTR { return hn::LoadU(d, p); };
    const auto store = [d](float* p, FloatVec v) HWY_ATTR { hn::StoreU(v, d, p); };
    std::int64_t i = 0;
    for (; i + lanes <= run.count; i += lanes) step(load, store, i);
    const std::int64_t rest = run.count - i;
    if (rest > 0) {
      const auto load_rest = [d, rest](const float* p) HWY_ATTR { return load_tail(d, p, rest); };
      const auto store_rest = [d, rest](float* p, FloatVec v)
                                  HWY_ATTR { store_tail(d, v, p, rest); };
      step(load_rest, store_rest, i);
    }
    if (a.not_finite && !hn::AllFalse(d, hn::IsNaN(doubt))) raise(a.not_finite);
    if (a.shadow) write_shadow(a.w, a.shadow, run);
  });
}

void adam_step(KernelContext& context, const AdamStep& a) {
  const double step = a.progress ? a.progress.as<double>()[0] : static_cast<double>(a.step);
  const double lr = rate_of(a);
  const auto b1 = static_cast<float>(a.beta1), b2 = static_cast<float>(a.beta2);
  const auto c1 = static_cast<float>(1 - a.beta1), c2 = static_cast<float>(1 - a.beta2);
  const auto rate = static_cast<float>(lr / (1 - std::pow(a.beta1, step)));
  const auto correction = static_cast<float>(1 / std::sqrt(1 - std::pow(a.beta2, step)));
  const auto epsilon = static_cast<float>(a.epsilon);
  const auto keep = static_cast<float>(a.decoupled ? 1 - lr * a.weight_decay : 1);
  const auto decay = static_cast<float>(a.decoupled ? 0 : a.weight_decay);
  const auto update = [=](auto d, auto g, auto& w, auto& m, auto& v) HWY_ATTR {
    g = hn::MulAdd(hn::Set(d, decay), w, g);
    m = hn::MulAdd(hn::Set(d, b1), m, hn::Mul(hn::Set(d, c1), g));
    v = hn::MulAdd(hn::Set(d, b2), v, hn::Mul(hn::Set(d, c2), hn::Mul(g, g)));
    const auto root = hn::MulAdd(hn::Sqrt(v), hn::Set(d, correction), hn::Set(d, epsilon));
    w = hn::Sub(hn::Mul(w, hn::Set(d, keep)), hn::Mul(hn::Set(d, rate), hn::Div(m, root)));
  };
  update_views(context, a, update, a.w, a.m, a.v);
}

void sgd_step(KernelContext& context, const SgdStep& a) {
  const auto lr = static_cast<float>(rate_of(a)), momentum = static_cast<float>(a.momentum);
  const auto decay = static_cast<float>(a.weight_decay);
  const bool nesterov = a.nesterov;
  const auto update = [=](auto d, auto g, auto& w, auto& m) HWY_ATTR {
    g = hn::MulAdd(hn::Set(d, decay), w, g);
    m = hn::MulAdd(hn::Set(d, momentum), m, g);
    const auto direction = nesterov ? hn::MulAdd(hn::Set(d, momentum), m, g) : m;
    w = hn::NegMulAdd(hn::Set(d, lr), direction, w);
  };
  update_views(context, a, update, a.w, a.m);
}

void rmsprop_step(KernelContext& context, const RmspropStep& a) {
  const auto lr = static_cast<float>(rate_of(a)), epsilon = static_cast<float>(a.epsilon);
  const auto alpha = static_cast<float>(a.alpha), rest = static_cast<float>(1 - a.alpha);
  const auto decay = static_cast<float>(a.weight_decay);
  const auto update = [=](auto d, auto g, auto& w, auto& v) HWY_ATTR {
    g = hn::MulAdd(hn::Set(d, decay), w, g);
    v = hn::MulAdd(hn::Set(d, alpha), v, hn::Mul(hn::Set(d, rest), hn::Mul(g, g)));
    const auto root = hn::Add(hn::Sqrt(v), hn::Set(d, epsilon));
    w = hn::NegMulAdd(hn::Set(d, lr), hn::Div(g, root), w);
  };
  update_views(context, a, update, a.w, a.v);
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::cpu {
GLIA_DISPATCH(adam_step, AdamStep)
GLIA_DISPATCH(sgd_step, SgdStep)
GLIA_DISPATCH(rmsprop_step, RmspropStep)
}  // namespace glia::cpu
#endif
