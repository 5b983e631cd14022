// Element-wise operations and their backwards. All views of one call have the same shape.
#pragma once

#include <cstdint>

#include "kernels/api/operands.h"
#include "kernels/api/view.h"

namespace glia {

/// y = max(x, 0). docs/ops/relu.md
struct ReluForward {
  ConstView x;
  View y;
};
template <class V>
void visit(ReluForward& a, const V& v) {
  v("x", Role::in, a.x);
  v("y", Role::out, a.y);
}

/// dx = dy where y > 0, else 0 (the subgradient at 0 is 0); NaN where y is NaN.
struct ReluBackward {
  ConstView dy, y;
  View dx;
  Write write = Write::overwrite;
};
template <class V>
void visit(ReluBackward& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("y", Role::in, a.y);
  v("dx", gradient(a.write), a.dx);
}

/// y = 1 / (1 + exp(-x)). docs/ops/sigmoid.md
struct SigmoidForward {
  ConstView x;
  View y;
};
template <class V>
void visit(SigmoidForward& a, const V& v) {
  v("x", Role::in, a.x);
  v("y", Role::out, a.y);
}

/// dx = dy * y * (1 - y).
struct SigmoidBackward {
  ConstView dy, y;
  View dx;
  Write write = Write::overwrite;
};
template <class V>
void visit(SigmoidBackward& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("y", Role::in, a.y, Content::positive);
  v("dx", gradient(a.write), a.dx);
}

/// y = x / (1 - p) where kept, else 0. Element i (dense, row-major) is kept when
/// uniform_i >= p in the stream Random(seed, stream): the backward pass applies the same kernel to
/// dy. `counter`, one i64 in the device's memory, is optional: 65536 times its value is added to
/// `stream`, so that a captured step draws another mask each time. `first` is the number of element
/// 0: other than 0 where x is a shard of a batch. docs/ops/dropout.md
struct Dropout {
  ConstView x, counter{};
  View y;
  double p = 0.5;
  std::uint64_t seed = 0, stream = 0, first = 0;
  Write write = Write::overwrite;
};
template <class V>
void visit(Dropout& a, const V& v) {
  v("x", Role::in, a.x);
  v("counter", Role::in, a.counter);
  v("y", gradient(a.write), a.y);
}

/// y = a + b. docs/ops/add.md
struct Add {
  ConstView a, b;
  View y;
};
template <class V>
void visit(Add& a, const V& v) {
  v("a", Role::in, a.a);
  v("b", Role::in, a.b);
  v("y", Role::out, a.y);
}

/// y = a * b. docs/ops/mul.md
struct Mul {
  ConstView a, b;
  View y;
  Write write = Write::overwrite;
};
template <class V>
void visit(Mul& a, const V& v) {
  v("a", Role::in, a.a);
  v("b", Role::in, a.b);
  v("y", gradient(a.write), a.y);
}

/// y = alpha * x: scaling, copying (alpha 1) and adding up gradients (accumulate). Where
/// activations are bf16, x and y may have different types: the conversions. docs/ops/scale.md
struct Scale {
  ConstView x;
  View y;
  double alpha = 1;
  Write write = Write::overwrite;
};
template <class V>
void visit(Scale& a, const V& v) {
  v("x", Role::in, a.x);
  v("y", gradient(a.write), a.y);
}

/// y = alpha * s for every element, s being the one element of `scalar`, or 1 where that is empty.
struct Fill {
  ConstView scalar{};
  View y;
  double alpha = 0;
  Write write = Write::overwrite;
};
template <class V>
void visit(Fill& a, const V& v) {
  v("scalar", Role::in, a.scalar);
  v("y", gradient(a.write), a.y);
}

/// y = alpha * sum of x; y has one element. docs/ops/sum.md
struct Sum {
  ConstView x;
  View y;
  double alpha = 1;
};
template <class V>
void visit(Sum& a, const V& v) {
  v("x", Role::in, a.x);
  v("y", Role::out, a.y);
}

/// mask = 1 where x > t, else 0 (same type as x); NaN stays NaN. Not differentiable.
/// docs/ops/threshold.md
struct Threshold {
  ConstView x;
  View mask;
  double t = 0.5;
};
template <class V>
void visit(Threshold& a, const V& v) {
  v("x", Role::in, a.x);
  v("mask", Role::out, a.mask);
}

}  // namespace glia
