// Elements of any type of tensors as float64, and back.
#pragma once

#include "engine/base/bf16.h"

namespace glia {

template <class T>
constexpr double to_number(T element) {
  return static_cast<double>(element);
}
constexpr double to_number(Bf16 element) {
  return to_float(element);
}

/// Rounded to the nearest, by way of float32 where T is bf16; cut off where it is an integer.
template <class T>
constexpr T to_element(double number) {
  return static_cast<T>(number);
}
template <>
constexpr Bf16 to_element(double number) {
  return to_bf16(static_cast<float>(number));
}

}  // namespace glia
