#include "benchmarks/reference/values.h"

#include "engine/base/check.h"
#include "engine/base/element.h"

namespace glia::reference {

namespace {

template <class T>
void load_as(const ConstView& view, Values& values) {
  for (std::int64_t row = 0; row < view.rows(); ++row)
    for (std::int64_t c = 0; c < view.channels(); ++c)
      values.push_back(to_number(view.as<T>()[row * view.pitch + c]));
}

template <class T>
void store_as(const Values& values, const View& view, Write write) {
  std::size_t next = 0;
  for (std::int64_t row = 0; row < view.rows(); ++row)
    for (std::int64_t c = 0; c < view.channels(); ++c) {
      T& place = view.as<T>()[row * view.pitch + c];
      const double value = values[next++];
      place = to_element<T>(write == Write::accumulate ? to_number(place) + value : value);
    }
}

}  // namespace

Values load(const ConstView& view) {
  Values values;
  switch (view.dtype) {
    case DType::f32: load_as<float>(view, values); break;
    case DType::f64: load_as<double>(view, values); break;
    case DType::bf16: load_as<Bf16>(view, values); break;
    case DType::u8: load_as<std::uint8_t>(view, values); break;
    case DType::i64: load_as<std::int64_t>(view, values); break;
  }
  return values;
}

void store(const Values& values, const View& view, Write write) {
  check(static_cast<std::int64_t>(values.size()) == view.shape.numel(),
        "reference: found {} values for a view of shape {}", values.size(), view.shape.str());
  switch (view.dtype) {
    case DType::f32: store_as<float>(values, view, write); break;
    case DType::f64: store_as<double>(values, view, write); break;
    case DType::bf16: store_as<Bf16>(values, view, write); break;
    case DType::u8: store_as<std::uint8_t>(values, view, write); break;
    case DType::i64: store_as<std::int64_t>(values, view, write); break;
  }
}

}  // namespace glia::reference
