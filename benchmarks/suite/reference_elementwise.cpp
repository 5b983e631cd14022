// Element-wise operations and sums.
#include "benchmarks/suite/reference.h"

#include <algorithm>
#include "engine/base/rng.h"

namespace glia::bench {

double reference(const ReluForward& a, const void*, Element e) {
  return std::max(0.0, element(a.x, e));
}

double reference(const ReluBackward& a, const void*, Element e) {
  return element(a.y, e) > 0 ? element(a.dy, e) : 0;
}

double reference(const SigmoidForward& a, const void*, Element e) {
  return sigmoid(element(a.x, e));
}

double reference(const SigmoidBackward& a, const void*, Element e) {
  const double y = element(a.y, e);
  return element(a.dy, e) * y * (1 - y);
}

double reference(const Dropout& a, const void*, Element e) {
  const double count = a.counter ? element(a.counter, {0, 0}) : 0;
  const Random random(a.seed, a.stream + 65536 * static_cast<std::uint64_t>(count));
  const auto i = static_cast<std::uint64_t>(e.row * a.x.channels() + e.channel);
  return random.uniform(i) >= a.p ? element(a.x, e) / (1 - a.p) : 0;
}

double reference(const Add& a, const void*, Element e) {
  return element(a.a, e) + element(a.b, e);
}

double reference(const Mul& a, const void*, Element e) {
  return element(a.a, e) * element(a.b, e);
}

double reference(const Scale& a, const void*, Element e) {
  return a.alpha * element(a.x, e);
}

double reference(const Fill& a, const void*, Element) {
  return a.alpha * (a.scalar ? element(a.scalar, {0, 0}) : 1);
}

double reference(const Sum& a, const void*, Element) {
  double sum = 0;
  for (std::int64_t c = 0; c < a.x.channels(); ++c) sum += sum_of_channel(a.x, c);
  return a.alpha * sum;
}

double reference(const Fold& a, const void*, Element e) {
  // In place, row r > 0 gets those up to the next that has more factors of two; row 0 gets all.
  const std::int64_t parts = a.parts.shape[0], after = e.row == 0 ? parts : e.row & -e.row;
  double sum = 0;
  for (std::int64_t part = e.row; part < std::min(parts, e.row + after); ++part)
    sum += element(a.parts, {part, e.channel});
  return sum;
}

double reference(const Threshold& a, const void*, Element e) {
  return element(a.x, e) > a.t ? 1 : 0;
}

}  // namespace glia::bench
