// What the norms compute a channel at a time, in double.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/api/view.h"

namespace glia::cpu {

/// Saves mean and invstd of channel c and updates the running statistics, from the batch's mean and
/// its sum of squared deviations over `rows`; gives invstd. `a` are a batch norm's arguments.
template <class Args>
double batch_statistics(const Args& a, std::int64_t c, double mean, double squares, double rows) {
  const double invstd = 1 / std::sqrt(squares / rows + a.epsilon);
  a.mean.template as<float>()[c] = static_cast<float>(mean);
  a.invstd.template as<float>()[c] = static_cast<float>(invstd);
  const auto update = [&](const View& running, double batch) {
    float& value = running.as<float>()[c];
    value = static_cast<float>((1 - a.momentum) * value + a.momentum * batch);
  };
  update(a.running_mean, mean);
  update(a.running_var, squares / std::max(1.0, rows - 1));
  return invstd;
}

/// A channel's gradients from sum = sum of dy and dot = sum of dy * (x - mean).
struct NormGradient {
  double sum, dot, gamma, invstd;

  double dgamma() const { return dot * invstd; }
  double dbeta() const { return sum; }
  /// dx = f[0] * dy + f[step] * (x - mean) + f[2 * step].
  void factors(double rows, float* f, std::int64_t step) const {
    const double scale = gamma * invstd;
    f[0] = static_cast<float>(scale);
    f[step] = static_cast<float>(-scale * invstd * dgamma() / rows);
    f[2 * step] = static_cast<float>(-scale * dbeta() / rows);
  }
};

}  // namespace glia::cpu
