// Element-wise operations and their backwards. All views of one call have the same shape.
#pragma once

#include <cstdint>

#include "kernels/api/view.h"

namespace glia {

/// y = max(x, 0). docs/ops/relu.md
struct ReluForward {
  static constexpr const char* kName = "relu_forward";
  ConstView x;
  View y;
};

/// dx = dy where y > 0, else 0 (the subgradient at 0 is 0).
struct ReluBackward {
  static constexpr const char* kName = "relu_backward";
  ConstView dy, y;
  View dx;
  Write write = Write::overwrite;
};

/// y = 1 / (1 + exp(-x)). docs/ops/sigmoid.md
struct SigmoidForward {
  static constexpr const char* kName = "sigmoid_forward";
  ConstView x;
  View y;
};

/// dx = dy * y * (1 - y).
struct SigmoidBackward {
  static constexpr const char* kName = "sigmoid_backward";
  ConstView dy, y;
  View dx;
  Write write = Write::overwrite;
};

/// y = x / (1 - p) where kept, else 0. Element i (dense, row-major) is kept when
/// uniform_i >= p in the stream Random(seed, stream): the backward pass applies the same kernel to
/// dy. `counter`, one i64 in the device's memory, is optional: 65536 times its value is added to
/// `stream`, so that a captured step draws another mask each time. docs/ops/dropout.md
struct Dropout {
  static constexpr const char* kName = "dropout";
  ConstView x, counter{};
  View y;
  double p = 0.5;
  std::uint64_t seed = 0, stream = 0;
  Write write = Write::overwrite;
};

/// y = a + b. docs/ops/add.md
struct Add {
  static constexpr const char* kName = "add";
  ConstView a, b;
  View y;
};

/// y = a * b. docs/ops/mul.md
struct Mul {
  static constexpr const char* kName = "mul";
  ConstView a, b;
  View y;
  Write write = Write::overwrite;
};

/// y = alpha * x: scaling, copying (alpha 1) and adding up gradients (accumulate).
/// docs/ops/scale.md
struct Scale {
  static constexpr const char* kName = "scale";
  ConstView x;
  View y;
  double alpha = 1;
  Write write = Write::overwrite;
};

/// y = alpha * s for every element, s being the one element of `scalar`, or 1 where that is empty.
struct Fill {
  static constexpr const char* kName = "fill";
  ConstView scalar{};
  View y;
  double alpha = 0;
  Write write = Write::overwrite;
};

/// y = alpha * sum of x; y has one element. docs/ops/sum.md
struct Sum {
  static constexpr const char* kName = "sum";
  ConstView x;
  View y;
  double alpha = 1;
};

/// mask = 1 where x > t, else 0 (same type as x). Not differentiable. docs/ops/threshold.md
struct Threshold {
  static constexpr const char* kName = "threshold";
  ConstView x;
  View mask;
  double t = 0.5;
};

}  // namespace glia
