// One optimizer step over the flat buffers of all parameters and gradients: one launch each.
// All views are one-dimensional, dense and of the same length, but for `progress`: two f64 in the
// device's memory, the step from 1 and the learning rate, which stand in for the fields `step` and
// `lr` when given. A captured step is replayed with the numbers that lie there then.
//
// `not_finite`, where given, is one i64 that becomes 1 when a weight or moment is NaN or infinite
// after the step, as all of them are that a gradient with such a value has touched, and is left as
// it is otherwise. The step itself is computed as if nobody asked.
//
// `shadow`, where given, is bf16 of the length of w and becomes the new w, rounded to the nearest:
// what convolutions multiply by where activations are bf16.
#pragma once

#include <cstdint>

#include "kernels/api/operands.h"
#include "kernels/api/view.h"

namespace glia {

/// Adam (Kingma & Ba, 2015): m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2;
/// w -= lr * (m / (1 - b1^step)) / (sqrt(v / (1 - b2^step)) + epsilon).
/// With `decoupled` (AdamW: Loshchilov & Hutter, 2019) w is first scaled by 1 - lr * weight_decay;
/// without, weight_decay * w is added to g. `step` counts from 1.
struct AdamStep {
  View w, m, v;
  ConstView g, progress{};
  View not_finite{}, shadow{};
  std::int64_t step = 1;
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
  bool decoupled = false;
};
template <class V>
void visit(AdamStep& a, const V& v) {
  v("w", Role::update, a.w);
  v("m", Role::update, a.m);
  v("v", Role::update, a.v, Content::positive);
  v("g", Role::in, a.g);
  v("progress", Role::in, a.progress, Content::positive);
  v("not_finite", Role::update, a.not_finite, Content::binary);
  v("shadow", Role::out, a.shadow);
}

/// SGD: g += weight_decay * w; m = momentum * m + g; w -= lr * (nesterov ? g + momentum * m : m).
struct SgdStep {
  View w, m;
  ConstView g, progress{};
  View not_finite{}, shadow{};
  double lr = 1e-2, momentum = 0.9, weight_decay = 0;
  bool nesterov = false;
};
template <class V>
void visit(SgdStep& a, const V& v) {
  v("w", Role::update, a.w);
  v("m", Role::update, a.m);
  v("g", Role::in, a.g);
  v("progress", Role::in, a.progress, Content::positive);
  v("not_finite", Role::update, a.not_finite, Content::binary);
  v("shadow", Role::out, a.shadow);
}

/// RMSprop (Hinton, 2012): g += weight_decay * w; v = alpha v + (1-alpha) g^2;
/// w -= lr * g / (sqrt(v) + epsilon).
struct RmspropStep {
  View w, v;
  ConstView g, progress{};
  View not_finite{}, shadow{};
  double lr = 1e-3, alpha = 0.99, epsilon = 1e-8, weight_decay = 0;
};
template <class V>
void visit(RmspropStep& a, const V& v) {
  v("w", Role::update, a.w);
  v("v", Role::update, a.v, Content::positive);
  v("g", Role::in, a.g);
  v("progress", Role::in, a.progress, Content::positive);
  v("not_finite", Role::update, a.not_finite, Content::binary);
  v("shadow", Role::out, a.shadow);
}

}  // namespace glia
