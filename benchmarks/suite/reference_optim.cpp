// Steps of optimizers.
#include "benchmarks/suite/reference.h"

#include <cmath>

namespace glia::bench {

// `not_finite` keeps its value: what a benchmark fills operands with is finite.

double reference(const AdamStep& a, const void* output, Element e) {
  if (output == a.not_finite.data) return element(a.not_finite, e);
  const double step = a.progress ? element(a.progress, {0, 0}) : static_cast<double>(a.step);
  const double lr = a.progress ? element(a.progress, {0, 1}) : a.lr;
  double w = element(a.w, e), g = element(a.g, e);
  if (a.decoupled)
    w *= 1 - lr * a.weight_decay;
  else
    g += a.weight_decay * w;
  const double m = a.beta1 * element(a.m, e) + (1 - a.beta1) * g;
  const double v = a.beta2 * element(a.v, e) + (1 - a.beta2) * g * g;
  if (output == a.m.data) return m;
  if (output == a.v.data) return v;
  return w - lr * (m / (1 - std::pow(a.beta1, step))) /
                 (std::sqrt(v / (1 - std::pow(a.beta2, step))) + a.epsilon);
}

double reference(const SgdStep& a, const void* output, Element e) {
  if (output == a.not_finite.data) return element(a.not_finite, e);
  const double lr = a.progress ? element(a.progress, {0, 1}) : a.lr;
  const double w = element(a.w, e), g = element(a.g, e) + a.weight_decay * w;
  const double m = a.momentum * element(a.m, e) + g;
  if (output == a.m.data) return m;
  return w - lr * (a.nesterov ? g + a.momentum * m : m);
}

double reference(const RmspropStep& a, const void* output, Element e) {
  if (output == a.not_finite.data) return element(a.not_finite, e);
  const double lr = a.progress ? element(a.progress, {0, 1}) : a.lr;
  const double w = element(a.w, e), g = element(a.g, e) + a.weight_decay * w;
  const double v = a.alpha * element(a.v, e) + (1 - a.alpha) * g * g;
  if (output == a.v.data) return v;
  return w - lr * g / (std::sqrt(v) + a.epsilon);
}

}  // namespace glia::bench
