// Merging means and sums of squared deviations of parts (Chan, Golub & LeVeque, 1979).
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/api/view.h"
#include "kernels/cpu/parallel.h"

namespace glia::cpu {

struct Moments {
  double count = 0, mean = 0, squares = 0;  // of squared deviations from the mean

  void add(const Moments& part) {
    const double delta = part.mean - mean, total = count + part.count;
    squares += part.squares + delta * delta * count * part.count / total;
    mean += delta * part.count / total;
    count = total;
  }
  /// Of `count` values of which sum(x - shift) and sum((x - shift)^2) are known. The squares cancel
  /// where shift lies far from the mean: a value of the part itself never does, as its own
  /// deviation is in the sum.
  static Moments about(double shift, double count, double sum, double squares) {
    const double rest = squares - sum * sum / count;
    return {count, shift + sum / count, rest < 0 ? 0 : rest};
  }
};

/// Of all parts of a channel, in order: part i has `count(i)` values and, `step` floats apart from
/// sums + 3 * i * step on, a shift, the sum of deviations from it and that of their squares.
template <class Count>
Moments merged(const float* sums, std::int64_t step, std::int64_t parts, const Count& count) {
  Moments all;
  for (std::int64_t i = 0; i < parts; ++i, sums += 3 * step)
    all.add(Moments::about(sums[0], count(i), sums[step], sums[2 * step]));
  return all;
}

/// The same of all channels, side by side in `sums`. to: f64 [2, C], the means and the squares.
template <class Count>
void merge_moments(const KernelContext& context, const float* sums, std::int64_t step,
                   std::int64_t parts, const Count& count, const View& to) {
  constexpr std::int64_t kLine = 16;
  const std::int64_t channels = to.channels();
  parallel_for(context, ceil_div(channels, kLine), [&](std::int64_t line) {
    for (std::int64_t k = line * kLine; k < std::min(channels, (line + 1) * kLine); ++k) {
      const Moments all = merged(sums + k, step, parts, count);
      to.as<double>()[k] = all.mean;
      to.as<double>()[to.pitch + k] = all.squares;
    }
  });
}

}  // namespace glia::cpu
