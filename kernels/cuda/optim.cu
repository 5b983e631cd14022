// One optimizer step over the flat buffers: kernels/api/optim.h, docs/optim.md. One launch and one
// pass over memory each.
//
// Work: the threads of the grid take packs of four elements in turn (single elements where a buffer
// does not start at a multiple of 16 bytes, or the shadow of 8), in blocks of 256; nothing is
// shared between elements but the word `not_finite`, which only threads write that have something
// to tell. Shared memory: Adam's three factors of the step, 12 bytes; SGD and RMSprop none.
#include <type_traits>

#include "kernels/cuda/kernels.h"
#include "kernels/cuda/pack.h"
#include "kernels/cuda/reduce.h"

namespace glia::GLIA_GPU {
namespace {

constexpr int kThreads = 256;

/// What a step reads (the gradient g) and changes (w and the optimizer's state; the word
/// `not_finite`, or null).
template <int kStates>
struct Flat {
  float* state[kStates];
  const float* g;
  std::int64_t count;
  unsigned long long* not_finite;
};

/// In place of the bf16 of new weights that nobody wants.
struct NoShadow {};

/// Applies rule(g, state of one element) to `kWidth` elements from `first` on. Adds 0 times every
/// new state to `doubt`, which so becomes NaN when one of them is NaN or infinite.
template <int kWidth, int kStates, class Rule, class Shadow>
__device__ void update_pack(const Flat<kStates>& flat, std::int64_t first, const Rule& rule,
                            Shadow shadow, float& doubt) {
  using P = Pack<kWidth>;
  const P g = *reinterpret_cast<const P*>(flat.g + first);
  P packs[kStates];
  for (int s = 0; s < kStates; ++s) packs[s] = *reinterpret_cast<const P*>(flat.state[s] + first);
  for (int k = 0; k < kWidth; ++k) {
    float state[kStates];
    for (int s = 0; s < kStates; ++s) state[s] = packs[s].at[k];
    rule(g.at[k], state);
    for (int s = 0; s < kStates; ++s) {
      packs[s].at[k] = state[s];
      doubt = fmaf(state[s], 0.0f, doubt);
    }
  }
  for (int s = 0; s < kStates; ++s) *reinterpret_cast<P*>(flat.state[s] + first) = packs[s];
  if constexpr (!std::is_same_v<Shadow, NoShadow>) write_pack(shadow + first, packs[0]);
}

/// The running thread's share of all elements.
template <int kWidth, int kStates, class Rule, class Shadow>
__device__ void update_flat(const Flat<kStates>& flat, const Rule& rule, Shadow shadow) {
  const std::int64_t thread = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::int64_t threads = std::int64_t{gridDim.x} * kThreads, packs = flat.count / kWidth;
  float doubt = 0;
  for (std::int64_t i = thread; i < packs; i += threads)
    update_pack<kWidth>(flat, i * kWidth, rule, shadow, doubt);
  const std::int64_t rest = packs * kWidth + thread;  // at most three elements fill no pack
  if (rest < flat.count) update_pack<1>(flat, rest, rule, shadow, doubt);
  if (doubt != doubt && flat.not_finite) atomicOr(flat.not_finite, 1ull);
}

/// g: the gradient of one element; s: w, m, v. The factors of the step come from `AdamFactors`.
struct AdamRule {
  float b1, b2, c1, c2, epsilon, decay, rate, correction, keep;

  __device__ void operator()(float g, float* s) const {
    g = fmaf(decay, s[0], g);
    s[1] = fmaf(b1, s[1], c1 * g);
    s[2] = fmaf(b2, s[2], c2 * (g * g));
    const float root = fmaf(sqrtf(s[2]), correction, epsilon);
    s[0] = s[0] * keep - rate * (s[1] / root);
  }
};

struct AdamTime {
  double step, lr, beta1, beta2, decoupled_decay;
};

struct AdamFactors {
  float rate, correction, keep;
};

// The powers are computed here whether or not `progress` is given, so that a captured step and an
// eager one agree bit for bit.
template <int kWidth, class Shadow>
__global__ void __launch_bounds__(kThreads)
    adam_step_flat(Flat<3> flat, AdamRule rule, AdamTime time, const double* progress,
                   Shadow shadow) {
  auto& smem = gpu::shared<AdamFactors>();
  if (threadIdx.x == 0) {
    const double step = progress ? progress[0] : time.step, lr = progress ? progress[1] : time.lr;
    smem.rate = static_cast<float>(lr / (1 - pow(time.beta1, step)));
    smem.correction = static_cast<float>(1 / sqrt(1 - pow(time.beta2, step)));
    smem.keep = static_cast<float>(1 - lr * time.decoupled_decay);
  }
  // Thread 0 has written the step's factors before anybody reads them.
  __syncthreads();
  rule.rate = smem.rate;
  rule.correction = smem.correction;
  rule.keep = smem.keep;
  update_flat<kWidth>(flat, rule, shadow);
}

/// s: w, m.
struct SgdRule {
  float lr, momentum, decay;
  bool nesterov;

  __device__ void operator()(float g, float* s) const {
    g = fmaf(decay, s[0], g);
    s[1] = fmaf(momentum, s[1], g);
    s[0] = fmaf(-lr, nesterov ? fmaf(momentum, s[1], g) : s[1], s[0]);
  }
};

template <int kWidth, class Shadow>
__global__ void __launch_bounds__(kThreads)
    sgd_step_flat(Flat<2> flat, SgdRule rule, const double* progress, Shadow shadow) {
  if (progress) rule.lr = static_cast<float>(progress[1]);
  update_flat<kWidth>(flat, rule, shadow);
}

/// s: w, v.
struct RmspropRule {
  float lr, alpha, rest, epsilon, decay;

  __device__ void operator()(float g, float* s) const {
    g = fmaf(decay, s[0], g);
    s[1] = fmaf(alpha, s[1], rest * (g * g));
    s[0] = fmaf(-lr, g / (sqrtf(s[1]) + epsilon), s[0]);
  }
};

template <int kWidth, class Shadow>
__global__ void __launch_bounds__(kThreads)
    rmsprop_step_flat(Flat<2> flat, RmspropRule rule, const double* progress, Shadow shadow) {
  if (progress) rule.lr = static_cast<float>(progress[1]);
  update_flat<kWidth>(flat, rule, shadow);
}

template <int kStates>
bool aligned(const Flat<kStates>& flat, const View& shadow) {
  bool all = pack_aligned(flat.g) &&
             reinterpret_cast<std::uintptr_t>(shadow.data) % alignof(Pack<4, Bf16>) == 0;
  for (const float* state : flat.state) all = all && pack_aligned(state);
  return all;
}

/// Calls `fn` with what the kernels take for the shadow.
template <class Fn>
void with_shadow(const View& shadow, const Fn& fn) {
  if (shadow)
    fn(shadow.as<Bf16>());
  else
    fn(NoShadow{});
}

LaunchConfig config(const KernelContext& context, std::int64_t count, const char* name) {
  // Registers leave room for five blocks of Adam; with four all of them run and end together.
  return {.grid = share_among_blocks(context, count, kThreads, 4, 4),
          .block = kThreads,
          .stream = static_cast<cudaStream_t>(context.stream),
          .name = name};
}

/// As atomics take it.
unsigned long long* word_of(const View& i64) {
  return reinterpret_cast<unsigned long long*>(i64.as<std::int64_t>());
}

}  // namespace

void adam_step(KernelContext& context, const AdamStep& a) {
  const Flat<3> flat{{a.w.as<float>(), a.m.as<float>(), a.v.as<float>()},
                     a.g.as<float>(),
                     a.w.shape.numel(),
                     word_of(a.not_finite)};
  if (flat.count == 0) return;
  const AdamRule rule{.b1 = static_cast<float>(a.beta1),
                      .b2 = static_cast<float>(a.beta2),
                      .c1 = static_cast<float>(1 - a.beta1),
                      .c2 = static_cast<float>(1 - a.beta2),
                      .epsilon = static_cast<float>(a.epsilon),
                      .decay = static_cast<float>(a.decoupled ? 0 : a.weight_decay),
                      .rate = 0,
                      .correction = 0,
                      .keep = 1};
  const AdamTime time{.step = static_cast<double>(a.step),
                      .lr = a.lr,
                      .beta1 = a.beta1,
                      .beta2 = a.beta2,
                      .decoupled_decay = a.decoupled ? a.weight_decay : 0};
  LaunchConfig launch_config = config(context, flat.count, kernel_name<AdamStep>);
  launch_config.smem_bytes = sizeof(AdamFactors);
  with_shadow(a.shadow, [&](auto shadow) {
    using S = decltype(shadow);
    gpu::launch(aligned(flat, a.shadow) ? adam_step_flat<4, S> : adam_step_flat<1, S>,
                launch_config, flat, rule, time, a.progress.as<double>(), shadow);
  });
}

void sgd_step(KernelContext& context, const SgdStep& a) {
  const Flat<2> flat{{a.w.as<float>(), a.m.as<float>()},
                     a.g.as<float>(),
                     a.w.shape.numel(),
                     word_of(a.not_finite)};
  if (flat.count == 0) return;
  const SgdRule rule{.lr = static_cast<float>(a.lr),
                     .momentum = static_cast<float>(a.momentum),
                     .decay = static_cast<float>(a.weight_decay),
                     .nesterov = a.nesterov};
  with_shadow(a.shadow, [&](auto shadow) {
    using S = decltype(shadow);
    gpu::launch(aligned(flat, a.shadow) ? sgd_step_flat<4, S> : sgd_step_flat<1, S>,
                config(context, flat.count, kernel_name<SgdStep>), flat, rule,
                a.progress.as<double>(), shadow);
  });
}

void rmsprop_step(KernelContext& context, const RmspropStep& a) {
  const Flat<2> flat{{a.w.as<float>(), a.v.as<float>()},
                     a.g.as<float>(),
                     a.w.shape.numel(),
                     word_of(a.not_finite)};
  if (flat.count == 0) return;
  const RmspropRule rule{.lr = static_cast<float>(a.lr),
                         .alpha = static_cast<float>(a.alpha),
                         .rest = static_cast<float>(1 - a.alpha),
                         .epsilon = static_cast<float>(a.epsilon),
                         .decay = static_cast<float>(a.weight_decay)};
  with_shadow(a.shadow, [&](auto shadow) {
    using S = decltype(shadow);
    gpu::launch(aligned(flat, a.shadow) ? rmsprop_step_flat<4, S> : rmsprop_step_flat<1, S>,
                config(context, flat.count, kernel_name<RmspropStep>), flat, rule,
                a.progress.as<double>(), shadow);
  });
}

}  // namespace glia::GLIA_GPU
