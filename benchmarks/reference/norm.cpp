// Batch and group normalisation with two-pass statistics.
#include <algorithm>
#include <cmath>

#include "benchmarks/reference/reference.h"

namespace glia::reference {

namespace {

struct Statistics {
  double mean = 0, variance = 0, count = 0;  // variance is the biased one
};

/// Mean and variance of the elements that `belongs(i)` picks.
template <class Belongs>
Statistics statistics(const Values& x, Belongs belongs) {
  long double sum = 0, squares = 0;  // see loss.cpp
  double count = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (belongs(i)) {
      sum += x[i];
      count += 1;
    }
  const auto mean = static_cast<double>(sum / count);
  for (std::size_t i = 0; i < x.size(); ++i)
    if (belongs(i)) squares += (x[i] - mean) * (x[i] - mean);
  return {mean, static_cast<double>(squares / count), count};
}

}  // namespace

Normalized batch_norm(const Values& x, const Values& gamma, const Values& beta, double epsilon) {
  const std::size_t channels = gamma.size();
  Normalized result;
  Values variance;
  for (std::size_t c = 0; c < channels; ++c) {
    const Statistics s = statistics(x, [&](std::size_t i) { return i % channels == c; });
    result.mean.push_back(s.mean);
    result.invstd.push_back(1 / std::sqrt(s.variance + epsilon));
    result.unbiased_variance.push_back(s.count > 1 ? s.variance * s.count / (s.count - 1)
                                                   : s.variance);
    variance.push_back(s.variance);
  }
  result.y = batch_norm_fixed(x, gamma, beta, result.mean, variance, epsilon);
  return result;
}

Values batch_norm_fixed(const Values& x, const Values& gamma, const Values& beta,
                        const Values& mean, const Values& variance, double epsilon) {
  Values y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i % gamma.size();
    y.push_back(gamma[c] * (x[i] - mean[c]) / std::sqrt(variance[c] + epsilon) + beta[c]);
  }
  return y;
}

Values apply_map(const Values& x, const Values& map) {
  const std::size_t channels = map.size() / 3;
  Values y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i % channels;
    y.push_back(std::max(map[c] * x[i] + map[channels + c], map[2 * channels + c]));
  }
  return y;
}

Values batch_norm_relu_map(const Values& gamma, const Values& beta, const Values& mean,
                           const Values& variance, double epsilon) {
  Values scale, shift, floor(gamma.size(), 0.0);
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    scale.push_back(gamma[c] / std::sqrt(variance[c] + epsilon));
    shift.push_back(beta[c] - mean[c] * scale[c]);
  }
  Values map = scale;
  map.insert(map.end(), shift.begin(), shift.end());
  map.insert(map.end(), floor.begin(), floor.end());
  return map;
}

Values channel_moments(const Values& x, std::size_t channels) {
  Values mean, squares;
  for (std::size_t c = 0; c < channels; ++c) {
    const Statistics s = statistics(x, [&](std::size_t i) { return i % channels == c; });
    mean.push_back(s.mean);
    squares.push_back(s.variance * s.count);
  }
  mean.insert(mean.end(), squares.begin(), squares.end());
  return mean;
}

Normalized group_norm(std::int64_t images, std::int64_t groups, const Values& x,
                      const Values& gamma, const Values& beta, double epsilon) {
  const std::size_t channels = gamma.size(),
                    per_image = x.size() / static_cast<std::size_t>(images);
  const std::size_t width = channels / static_cast<std::size_t>(groups);
  const auto region = [&](std::size_t i) {
    return i / per_image * static_cast<std::size_t>(groups) + i % channels / width;
  };
  Normalized result;
  for (std::size_t g = 0; g < static_cast<std::size_t>(images * groups); ++g) {
    const Statistics s = statistics(x, [&](std::size_t i) { return region(i) == g; });
    result.mean.push_back(s.mean);
    result.invstd.push_back(1 / std::sqrt(s.variance + epsilon));
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i % channels, g = region(i);
    result.y.push_back(gamma[c] * (x[i] - result.mean[g]) * result.invstd[g] + beta[c]);
  }
  return result;
}

}  // namespace glia::reference
