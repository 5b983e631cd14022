#include "benchmarks/judge/draws.h"

#include <algorithm>
#include <cmath>

namespace glia::test {

double largest(const Values& values) {
  double result = 0;
  for (double v : values) result = std::max(result, std::abs(v));
  return result;
}

double dot(const Values& a, const Values& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

Values signed_numbers(std::size_t count, std::uint64_t stream) {
  const Random random(kDrawSeed, stream);
  Values values;
  for (std::size_t i = 0; i < count; ++i) {
    const double u = 2 * random.uniform(i) - 1;
    values.push_back(static_cast<float>(std::copysign(0.25 + 0.75 * std::abs(u), u)));
  }
  return values;
}

Values draw(const Input& input, std::uint64_t stream) {
  const auto count = static_cast<std::size_t>(input.shape.numel());
  if (!input.values.empty()) return input.values;
  Sequence sequence(kDrawSeed, stream);
  Values values;
  for (std::size_t i = 0; i < count; ++i) switch (input.fill) {
      case Fill::uniform: values.push_back(sequence.uniform(input.low, input.high)); break;
      case Fill::binary: values.push_back(sequence.chance(0.5) ? 1 : 0); break;
      case Fill::spaced:
        values.push_back(input.low + (input.high - input.low) * (static_cast<double>(i) + 0.5) /
                                         static_cast<double>(count));
        break;
      case Fill::off_zero: {
        const double u = sequence.uniform(-1, 1);
        values.push_back(std::copysign(0.1 + std::abs(u) * (input.high - 0.1), u));
        break;
      }
    }
  if (input.fill == Fill::spaced) shuffle(values, sequence);
  for (double& v : values) v = static_cast<float>(v);
  return values;
}

double difference_step(const Input& input, const Values& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double spread = *high > *low ? *high - *low : 1;
  if (input.fill == Fill::spaced) return spread / (8 * static_cast<double>(values.size()));
  return 5e-5 * spread;
}

}  // namespace glia::test
