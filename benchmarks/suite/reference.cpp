#include "benchmarks/suite/reference.h"

#include <algorithm>
#include <cmath>

namespace glia::bench {

double element(const ConstView& view, Element e) {
  const std::int64_t at = e.row * view.pitch + e.channel;
  switch (view.dtype) {
    case DType::f32: return view.as<float>()[at];
    case DType::f64: return view.as<double>()[at];
    case DType::bf16: return to_float(view.as<Bf16>()[at]);
    case DType::u8: return view.as<std::uint8_t>()[at];
    case DType::i64: return static_cast<double>(view.as<std::int64_t>()[at]);
  }
  return 0;
}

double element(const ConstView& view, const ConstView& map, Element e) {
  const double x = element(view, e);
  if (!map) return x;
  const auto row = [&](std::int64_t r) { return element(map, {r, e.channel}); };
  return std::max(row(MapRow::scale) * x + row(MapRow::shift), row(MapRow::floor));
}

double sum_of_channel(const ConstView& v, std::int64_t channel) {
  double sum = 0;
  for (std::int64_t row = 0; row < v.rows(); ++row) sum += element(v, {row, channel});
  return sum;
}

double sigmoid(double z) {
  return 1 / (1 + std::exp(-z));
}

}  // namespace glia::bench
