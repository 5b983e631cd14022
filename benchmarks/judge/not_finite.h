// NaN in, NaN out: a value that is not a number must reach everything that depends on it, so that
// the loss shows it.
#pragma once

#include "benchmarks/judge/execute.h"

namespace glia::test {

/// Puts a NaN into one element of each input and of the gradient to start from, in turn, and names
/// what does not become NaN although it changes when that element does. `plan` is that of `before`,
/// the outcome without NaN.
std::vector<std::string> lost_nans(const Case& test, const KernelTable& kernels, const Plan& plan,
                                   const Outcome& before);

}  // namespace glia::test
