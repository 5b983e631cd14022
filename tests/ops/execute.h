// Runs a case once on one backend, in guarded memory.
#pragma once

#include "tests/ops/op_case.h"

namespace glia::test {

/// How to run a case.
struct Plan {
  std::vector<Values> inputs;
  Values dy{};                    // gradient to start from; empty: forward only
  std::vector<Values> prefill{};  // gradients to add to, one an input; empty: overwrite
  Shape out_shape{};              // of the result, for `slices`
  bool slices = false;            // images as channel slices of wider buffers
  int threads = 1;
};

/// Everything that came out.
struct Outcome {
  Shape shape;
  Values y;
  std::vector<Values> updated;
  std::vector<Values> gradients;      // one an input, empty where none is wanted
  std::vector<std::string> problems;  // overwritten guards and neighbours, missing gradients
};

Outcome execute(const Case& test, const KernelTable& kernels, const Plan& plan);

}  // namespace glia::test
