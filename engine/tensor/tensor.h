// Tensor: a handle on storage, a shape and a place on the tape. Copies share memory.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/base/check.h"
#include "engine/runtime/device.h"
#include "kernels/api/view.h"

namespace glia {

class Tensor {
 public:
  /// An undefined tensor: stands for "not given" (no bias, no gradient).
  Tensor() = default;

  /// Undefined contents. Activations are NHWC and dense.
  static Tensor empty(Device& device, const Shape& shape, DType dtype = DType::f32);
  static Tensor zeros(Device& device, const Shape& shape, DType dtype = DType::f32);
  /// Copies host values. Throws `Error` when their number is not that of the shape.
  template <class T>
  static Tensor from(Device& device, const Shape& shape, std::span<const T> values);

  bool defined() const { return body_ != nullptr; }
  Device& device() const;
  const Shape& shape() const;
  DType dtype() const;
  std::int64_t numel() const { return shape().numel(); }

  /// What kernels see. An undefined tensor gives an empty view. Throws `Error` when it is deferred.
  View view() const;
  operator View() const { return view(); }       // NOLINT: a handle is its memory to a kernel
  operator ConstView() const { return view(); }  // NOLINT

  /// Channels [first, first + count) of an NHWC tensor, sharing its memory.
  Tensor channels(std::int64_t first, std::int64_t count) const;
  /// `shape` over this dense tensor's elements from `offset` on, sharing its memory.
  Tensor slice(std::int64_t offset, const Shape& shape) const;
  /// One tensor over neighbouring channel slices of one buffer, in the given order; nothing is
  /// copied, and maps are left behind. Throws `Error` when they are not neighbours.
  static Tensor join_channels(std::span<const Tensor> slices);

  /// A tensor whose elements are the `map` [3, C] (kernels/api/read_map.h) of this one's and are
  /// computed by whoever reads them: it shares this one's memory and has nothing of its own but a
  /// gradient. Operations that cannot read it refuse it; ops::materialise writes it down.
  Tensor deferred(const Tensor& map) const;
  bool is_deferred() const;
  /// What lies in memory, and the map through which it is to be read; empty when it is not
  /// deferred.
  View stored() const;
  View map() const;
  View map_row(std::int64_t row) const;

  /// Pointer for host code. Throws `Error` when T is not the tensor's type, the tensor is not dense
  /// or its device's memory is not the host's.
  template <class T>
  T* data() const;
  /// A copy of all elements in row-major order, whatever the pitch and the device. Those of bf16
  /// come as floats too.
  template <class T>
  std::vector<T> to_vector() const;
  /// The single element of a one-element tensor.
  double item() const;
  /// Overwrites all elements of a dense tensor of type T (floats also where it is f64, or bf16, to
  /// which they are rounded), in row-major order; and so those of its shadow.
  template <class T>
  void copy_from(std::span<const T> values) const;
  void copy_from(const std::vector<float>& values) const {
    copy_from(std::span<const float>(values));
  }

  /// Its values in the type of activations, for the operations that multiply in it: who changes
  /// the tensor by kernels writes the shadow too (an optimizer's step). Undefined where none is
  /// bound.
  void bind_shadow(const Tensor& shadow) const;
  Tensor shadow() const;

  /// Whether a gradient of this tensor is asked for. Set on parameters and, by the tape, on
  /// results.
  bool wants_grad() const;
  void set_wants_grad(bool wanted) const;
  /// The gradient, or an undefined tensor when none was computed.
  Tensor grad() const;
  /// Whether a backward pass wrote the gradient since `bind_grad`.
  bool grad_written() const;
  /// Fixes where the gradient goes (a parameter's place in the flat gradient buffer) and
  /// whether the next one overwrites or adds to what is there.
  void bind_grad(const Tensor& grad, Write next = Write::overwrite) const;

 private:
  friend class Tape;  // keeps the gradient's state in the body
  struct Storage;
  struct Body;
  explicit Tensor(std::shared_ptr<Body> body) : body_(std::move(body)) {}

  std::shared_ptr<Body> body_;
};

}  // namespace glia
