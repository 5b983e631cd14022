// What a kernel sees of a tensor: a pointer, a shape, the distance between pixels and a type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/base/dtype.h"
#include "engine/base/shape.h"

namespace glia {

/// Tensor memory without ownership. Element (row, channel) lies at `row * pitch + channel`, where a
/// row is one pixel and `pitch >= channels`: a channel slice of a wider NHWC buffer is a view too.
template <class Void>
struct BasicView {
  Void* data = nullptr;
  Shape shape;
  std::int64_t pitch = 1;
  DType dtype = DType::f32;

  explicit operator bool() const { return data != nullptr; }
  std::int64_t channels() const { return shape.channels(); }
  std::int64_t rows() const { return channels() == 0 ? 0 : shape.numel() / channels(); }
  bool dense() const { return pitch == channels(); }
};

/// Throws `Error` naming both types: a view of `holds` is read as `asked`.
[[noreturn]] void refuse_type(DType holds, DType asked);

namespace detail {
template <class T>
void require_type(DType holds) {
  if constexpr (!std::is_same_v<T, std::byte>)
    if (holds != dtype_of<T>()) refuse_type(holds, dtype_of<T>());
}
}  // namespace detail

struct View : BasicView<void> {
  /// The elements, which must be of this type; std::byte stands for any. Null where there are none.
  /// Throws `Error`.
  template <class T>
  T* as() const {
    if (data) detail::require_type<T>(dtype);
    return static_cast<T*>(data);
  }
};

struct ConstView : BasicView<const void> {
  ConstView() = default;
  ConstView(const View& v)  // NOLINT: reading from what may be written is always fine
      : BasicView<const void>{v.data, v.shape, v.pitch, v.dtype} {}
  /// As for `View`.
  template <class T>
  const T* as() const {
    if (data) detail::require_type<T>(dtype);
    return static_cast<const T*>(data);
  }
};

/// What a gradient kernel does with the memory it is given. The first gradient of a tensor
/// overwrites, later ones accumulate: a skip connection is where this matters.
enum class Write : std::uint8_t { overwrite, accumulate };

}  // namespace glia
