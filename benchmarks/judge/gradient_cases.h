// What glia gradcheck calls: every differentiable operation in all its modes, on small shapes.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "benchmarks/cases/cases.h"

namespace glia::test {

struct GradientCase {
  std::string op, mode;            // "batch_norm" and "training"; no mode where there is only one
  std::vector<std::string> names;  // of the inputs: "input", "weight", "bias"
  cases::Case test;
  std::string pass{};  // what is checked, where it is not the kernel that writes the gradient
};

/// In the order of kernels/api/list.h, then mean, concat and the skip.
std::vector<GradientCase> gradient_cases();

/// Those of `ops`; of all where that is empty. Throws `Error` naming one that there is not, or that
/// has no gradient.
std::vector<GradientCase> gradient_cases(std::span<const std::string> ops);

}  // namespace glia::test
