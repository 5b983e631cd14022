// Checks and allocation that the operations share.
#pragma once

#include "engine/runtime/run.h"
#include "engine/tape/tape.h"
#include "engine/tensor/tensor.h"

namespace glia::ops {

/// Throws `Error` when `t` has neither of the types.
inline void check_type(const char* op, const char* name, const Tensor& t, DType type, DType other) {
  if (t.dtype() == type || t.dtype() == other) return;
  fail("{}: {} is {}, the backend '{}' computes in {}{}", op, name, name_of(t.dtype()),
       t.device().kernels().name, name_of(type),
       type == other ? "" : fmt::format(" or {}", name_of(other)));
}

/// `out` when it is given and fits, a new tensor of the type of x otherwise.
inline Tensor result(const char* op, const Tensor& x, const Shape& shape, const Tensor& out) {
  if (!out.defined()) return Tensor::empty(x.device(), shape, x.dtype());
  check(out.shape() == shape, "{}: out is {}, expected {}", op, out.shape().str(), shape.str());
  check_type(op, "out", out, x.dtype(), x.dtype());
  return out;
}

/// The same where `out` may have the other of the device's two types, that of activations or that
/// of parameters.
inline Tensor result_of_either_type(const char* op, const Tensor& x, const Shape& shape,
                                    const Tensor& out) {
  if (!out.defined() || out.dtype() == x.dtype()) return result(op, x, shape, out);
  check(out.shape() == shape, "{}: out is {}, expected {}", op, out.shape().str(), shape.str());
  const KernelTable& kernels = x.device().kernels();
  check_type(op, "out", out, kernels.activations, kernels.parameters);
  return out;
}

/// Given, and of the type that the device has for activations or that for parameters. It may be
/// deferred where the backend does with maps what the operation needs, if it reads them at all.
inline void check_operand(const char* op, const char* name, const Tensor& t,
                          Maps needed = Maps::none) {
  check(t.defined(), "{}: {} is not given", op, name);
  check(!t.is_deferred() || needed != Maps::none, "{}: {} is deferred, materialise it first", op,
        name);
  check(!t.is_deferred() || t.device().kernels().maps >= needed,
        "unsupported: {}: {} is deferred, and the backend '{}' reads no maps", op, name,
        t.device().kernels().name);
  const KernelTable& kernels = t.device().kernels();
  check_type(op, name, t, kernels.activations, kernels.parameters);
}

/// Given, and of the type of parameters, which logits and losses have too.
inline void check_parameter(const char* op, const char* name, const Tensor& t) {
  check_operand(op, name, t);
  const DType type = t.device().kernels().parameters;
  check_type(op, name, t, type, type);
}

inline void check_image(const char* op, const Tensor& x, Maps needed = Maps::none) {
  check_operand(op, "input", x, needed);
  check(x.shape().rank() == 4 && x.numel() > 0, "{}: input is {}, expected non-empty [N, H, W, C]",
        op, x.shape().str());
}

/// A vector with one element a channel.
inline void check_vector(const char* op, const char* name, const Tensor& t, std::int64_t channels) {
  check_parameter(op, name, t);
  check(t.shape() == Shape{channels}, "{}: {} is {}, expected [{}]", op, name, t.shape().str(),
        channels);
}

inline void check_same_shape(const char* op, const Tensor& a, const Tensor& b) {
  check_operand(op, "first operand", a);
  check_operand(op, "second operand", b);
  check(a.shape() == b.shape(), "{}: the operands are {} and {}, expected the same shape", op,
        a.shape().str(), b.shape().str());
  check(a.dtype() == b.dtype(), "{}: the operands are {} and {}, expected the same type", op,
        name_of(a.dtype()), name_of(b.dtype()));
}

}  // namespace glia::ops
