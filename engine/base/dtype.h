// Element types of tensors and the mapping between them and C++ types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/base/bf16.h"

namespace glia {

enum class DType : std::uint8_t { f32, f64, bf16, u8, i64 };

constexpr std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return 4;
    case DType::f64: return 8;
    case DType::bf16: return 2;
    case DType::u8: return 1;
    case DType::i64: return 8;
  }
  return 0;
}

constexpr const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return "f32";
    case DType::f64: return "f64";
    case DType::bf16: return "bf16";
    case DType::u8: return "u8";
    case DType::i64: return "i64";
  }
  return "?";
}

template <class T>
constexpr DType dtype_of() {
  using U = std::remove_const_t<T>;
  if constexpr (std::is_same_v<U, float>)
    return DType::f32;
  else if constexpr (std::is_same_v<U, double>)
    return DType::f64;
  else if constexpr (std::is_same_v<U, Bf16>)
    return DType::bf16;
  else if constexpr (std::is_same_v<U, std::uint8_t>)
    return DType::u8;
  else {
    static_assert(std::is_same_v<U, std::int64_t>, "no DType for this C++ type");
    return DType::i64;
  }
}

}  // namespace glia
