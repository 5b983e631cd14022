// Norms, with and without the ReLU.
#include "benchmarks/suite/reference.h"

#include <algorithm>
#include <cmath>

namespace glia::bench {

namespace {

struct Moments {
  double mean, variance;
};
Moments moments(const ConstView& x, std::int64_t channel) {
  const auto rows = static_cast<double>(x.rows());
  const double mean = sum_of_channel(x, channel) / rows;
  double squares = 0;
  for (std::int64_t row = 0; row < x.rows(); ++row) {
    const double d = element(x, {row, channel}) - mean;
    squares += d * d;
  }
  return {mean, squares / rows};
}

/// Whose statistics an element of x shares: `count` channels from `first` of image `n`.
struct Group {
  std::int64_t n, first, count, pixels;
};
Group group_of(const ConstView& x, std::int64_t groups, Element e) {
  const std::int64_t pixels = x.rows() / x.shape[0], count = x.channels() / groups;
  return {e.row / pixels, e.channel / count * count, count, pixels};
}

/// Calls fn(element) for each element of the group.
template <class Fn>
void for_group(const Group& g, const Fn& fn) {
  for (std::int64_t row = g.n * g.pixels; row < (g.n + 1) * g.pixels; ++row)
    for (std::int64_t c = g.first; c < g.first + g.count; ++c) fn(Element{row, c});
}

Moments moments(const ConstView& x, const Group& g) {
  const auto size = static_cast<double>(g.pixels * g.count);
  double sum = 0, squares = 0;
  for_group(g, [&](Element at) { sum += element(x, at); });
  const double mean = sum / size;
  for_group(g, [&](Element at) { squares += std::pow(element(x, at) - mean, 2); });
  return {mean, squares / size};
}

}  // namespace

double reference(const BatchNormForwardTrain& a, const void* output, Element e) {
  const Element channel{0, e.channel};
  const auto [mean, variance] = moments(a.x, e.channel);
  const double invstd = 1 / std::sqrt(variance + a.epsilon);
  if (output == a.mean.data) return mean;
  if (output == a.invstd.data) return invstd;
  if (output == a.running_mean.data)
    return (1 - a.momentum) * element(a.running_mean, channel) + a.momentum * mean;
  if (output == a.running_var.data) {
    const auto rows = static_cast<double>(a.x.rows());
    return (1 - a.momentum) * element(a.running_var, channel) +
           a.momentum * variance * rows / std::max(1.0, rows - 1);
  }
  return element(a.gamma, channel) * (element(a.x, e) - mean) * invstd + element(a.beta, channel);
}

double reference(const BatchNormForwardEval& a, const void*, Element e) {
  const Element channel{0, e.channel};
  const double invstd = 1 / std::sqrt(element(a.running_var, channel) + a.epsilon);
  return element(a.gamma, channel) * (element(a.x, e) - element(a.running_mean, channel)) * invstd +
         element(a.beta, channel);
}

double reference(const BatchNormBackwardTrain& a, const void* output, Element e) {
  const Element channel{0, e.channel};
  const double mean = element(a.mean, channel), invstd = element(a.invstd, channel);
  const auto xhat = [&](std::int64_t row) {
    return (element(a.x, {row, e.channel}) - mean) * invstd;
  };
  double dgamma = 0, dbeta = 0;
  for (std::int64_t row = 0; row < a.dy.rows(); ++row) {
    const double dy = element(a.dy, {row, e.channel});
    dgamma += dy * xhat(row);
    dbeta += dy;
  }
  if (output == a.dgamma.data) return dgamma;
  if (output == a.dbeta.data) return dbeta;
  const auto rows = static_cast<double>(a.dy.rows());
  return element(a.gamma, channel) * invstd *
         (element(a.dy, e) - dbeta / rows - xhat(e.row) * dgamma / rows);
}

double reference(const BatchNormBackwardEval& a, const void* output, Element e) {
  const Element channel{0, e.channel};
  const double mean = element(a.running_mean, channel);
  const double invstd = 1 / std::sqrt(element(a.running_var, channel) + a.epsilon);
  if (output == a.dbeta.data) return sum_of_channel(a.dy, e.channel);
  if (output != a.dgamma.data) return element(a.gamma, channel) * invstd * element(a.dy, e);
  double dgamma = 0;
  for (std::int64_t row = 0; row < a.dy.rows(); ++row) {
    const Element at{row, e.channel};
    dgamma += element(a.dy, at) * (element(a.x, at) - mean) * invstd;
  }
  return dgamma;
}

double reference(const GroupNormForward& a, const void* output, Element e) {
  // mean and invstd are [N, groups]: their element names a group.
  const std::int64_t pixels = a.x.rows() / a.x.shape[0], count = a.x.channels() / a.groups;
  const bool statistic = output == a.mean.data || output == a.invstd.data;
  const Element member = statistic ? Element{e.row * pixels, e.channel * count} : e;
  const auto [mean, variance] = moments(a.x, group_of(a.x, a.groups, member));
  const double invstd = 1 / std::sqrt(variance + a.epsilon);
  if (output == a.mean.data) return mean;
  if (output == a.invstd.data) return invstd;
  const Element channel{0, e.channel};
  return element(a.gamma, channel) * (element(a.x, e) - mean) * invstd + element(a.beta, channel);
}

double reference(const GroupNormBackward& a, const void* output, Element e) {
  const std::int64_t count = a.x.channels() / a.groups;
  const auto xhat = [&](Element at) {
    const Element group{at.row / (a.x.rows() / a.x.shape[0]), at.channel / count};
    return (element(a.x, at) - element(a.mean, group)) * element(a.invstd, group);
  };
  if (output == a.dbeta.data) return sum_of_channel(a.dy, e.channel);
  if (output == a.dgamma.data) {
    double sum = 0;
    for (std::int64_t row = 0; row < a.dy.rows(); ++row) {
      const Element at{row, e.channel};
      sum += element(a.dy, at) * xhat(at);
    }
    return sum;
  }
  // As batch norm's, with gamma inside the sums, since it differs within a group.
  const Group g = group_of(a.x, a.groups, e);
  const auto dxhat = [&](Element at) {
    return element(a.dy, at) * element(a.gamma, {0, at.channel});
  };
  double sum = 0, product = 0;
  for_group(g, [&](Element at) {
    sum += dxhat(at);
    product += dxhat(at) * xhat(at);
  });
  const auto size = static_cast<double>(g.pixels * g.count);
  return element(a.invstd, {g.n, e.channel / count}) *
         (dxhat(e) - sum / size - xhat(e) * product / size);
}

double reference(const ChannelMoments& a, const void*, Element e) {
  const auto [mean, variance] = moments(a.x, e.channel);
  return e.row == 0 ? mean : variance * static_cast<double>(a.x.rows());
}

double reference(const BatchNormReluMapTrain& a, const void* output, Element e) {
  const Element channel{0, e.channel};
  const double mean = element(a.moments, channel);
  const double squares = element(a.moments, {1, e.channel});
  const auto rows = static_cast<double>(a.rows);
  const double invstd = 1 / std::sqrt(squares / rows + a.epsilon);
  if (output == a.mean.data) return mean;
  if (output == a.invstd.data) return invstd;
  if (output == a.running_mean.data)
    return (1 - a.momentum) * element(a.running_mean, channel) + a.momentum * mean;
  if (output == a.running_var.data)
    return (1 - a.momentum) * element(a.running_var, channel) + a.momentum * squares / (rows - 1);
  const double scale = element(a.gamma, channel) * invstd;
  if (e.row == MapRow::scale) return scale;
  return e.row == MapRow::shift ? element(a.beta, channel) - mean * scale : 0;
}

double reference(const BatchNormReluMapEval& a, const void*, Element e) {
  const Element channel{0, e.channel};
  const double scale =
      element(a.gamma, channel) / std::sqrt(element(a.running_var, channel) + a.epsilon);
  if (e.row == MapRow::scale) return scale;
  return e.row == MapRow::shift
             ? element(a.beta, channel) - element(a.running_mean, channel) * scale
             : 0;
}

namespace {

/// dz: dy where the map of x is above its floor, else 0.
template <class Args>
double gradient_of(const Args& a, Element at) {
  const double floor = element(a.map, {MapRow::floor, at.channel});
  return element(a.x, a.map, at) > floor ? element(a.dy, at) : 0;
}

}  // namespace

double reference(const BatchNormReluBackwardTrain& a, const void* output, Element e) {
  const Element channel{0, e.channel};
  const double mean = element(a.mean, channel), invstd = element(a.invstd, channel);
  const auto xhat = [&](std::int64_t row) {
    return (element(a.x, {row, e.channel}) - mean) * invstd;
  };
  const auto dz = [&](std::int64_t row) { return gradient_of(a, {row, e.channel}); };
  double dgamma = 0, dbeta = 0;
  for (std::int64_t row = 0; row < a.dy.rows(); ++row) {
    dgamma += dz(row) * xhat(row);
    dbeta += dz(row);
  }
  if (output == a.dgamma.data) return dgamma;
  if (output == a.dbeta.data) return dbeta;
  const auto rows = static_cast<double>(a.dy.rows());
  return element(a.gamma, channel) * invstd *
         (dz(e.row) - dbeta / rows - xhat(e.row) * dgamma / rows);
}

double reference(const MergeMoments& a, const void*, Element e) {
  const std::int64_t parts = a.parts.shape[0];
  const auto of = [&](std::int64_t part, std::int64_t row) {
    return element(a.parts, {2 * part + row, e.channel});
  };
  double mean = 0, squares = 0;
  for (std::int64_t part = 0; part < parts; ++part) mean += of(part, 0);
  mean /= static_cast<double>(parts);
  for (std::int64_t part = 0; part < parts; ++part)
    squares += of(part, 1) + static_cast<double>(a.rows) * std::pow(of(part, 0) - mean, 2);
  return e.row == 0 ? mean : squares;
}

double reference(const BatchNormReluBackwardSums& a, const void* output, Element e) {
  const double mean = element(a.mean, {0, e.channel});
  double sum = 0, dot = 0;
  for (std::int64_t row = 0; row < a.x.rows(); ++row) {
    const double dz = gradient_of(a, {row, e.channel});
    sum += dz;
    dot += dz * (element(a.x, {row, e.channel}) - mean);
  }
  if (output == a.dbeta.data) return sum;
  if (output == a.dgamma.data) return dot * element(a.invstd, {0, e.channel});
  return e.row == 0 ? sum : dot;
}

double reference(const BatchNormReluBackwardApply& a, const void*, Element e) {
  const Element channel{0, e.channel};
  const double invstd = element(a.invstd, channel);
  const auto rows = static_cast<double>(a.rows);
  const double away = element(a.x, e) - element(a.mean, channel);
  return element(a.gamma, channel) * invstd *
         (gradient_of(a, e) - element(a.sums, channel) / rows -
          away * invstd * invstd * element(a.sums, {1, e.channel}) / rows);
}

double reference(const BatchNormReluBackwardEval& a, const void* output, Element e) {
  const Element channel{0, e.channel};
  const double mean = element(a.running_mean, channel);
  const double invstd = 1 / std::sqrt(element(a.running_var, channel) + a.epsilon);
  const auto dz = [&](Element at) { return gradient_of(a, at); };
  if (output != a.dgamma.data && output != a.dbeta.data)
    return element(a.map, {MapRow::scale, e.channel}) * dz(e);
  double dgamma = 0, dbeta = 0;
  for (std::int64_t row = 0; row < a.dy.rows(); ++row) {
    const Element at{row, e.channel};
    dgamma += dz(at) * (element(a.x, at) - mean) * invstd;
    dbeta += dz(at);
  }
  return output == a.dgamma.data ? dgamma : dbeta;
}

double reference(const Materialise& a, const void* output, Element e) {
  if (output == a.y.data) return element(a.x, a.map, e);
  const MaxPool2dForward pool{.geometry = max_pool2d_geometry(a.x.shape, 2, 2),
                              .x = a.x,
                              .x_map = a.map,
                              .y = a.pooled,
                              .index = a.index};
  return reference(pool, output, e);
}

}  // namespace glia::bench
