// The gradients of an operation, one a row: what the backward pass gives on a backend, beside
// central differences of the forward pass in float64 (benchmarks/reference). Compared are
//   each element            moved by itself;
//   all elements together   moved by 1, and by random signs: what an element alone cannot show,
//                           such as a maximum that two places share;
//   accumulate              added to what memory held.
// Where the function has a kink (ReLU at 0) or a tie (two maxima), differences say nothing: such an
// element is left out, and counted. A kink is what the second difference over half a step does not
// shrink with.
#pragma once

#include <string>
#include <vector>

#include "benchmarks/judge/gradient_cases.h"
#include "kernels/api/table.h"

namespace glia::test {

struct GradientRow {
  std::string op, mode, gradient;    // "conv2d", "stride 2", "weight"
  std::string pass;                  // the kernel, or what to look at
  std::vector<std::string> kernels;  // that wrote it
  std::vector<std::string> ran;      // in the backward pass
  Shape shape;
  std::string input;  // what the operation was called with
  /// The largest error, relative to its bound, and where: "[0, 3, 2, 1]" or "all by 1".
  double found = 0, expected = 0, error = 0, bound = 0;
  std::string where{};
  std::size_t compared = 0, skipped = 0;  // elements; skipped ones lie at a kink or a tie
  std::vector<std::string> failures{};    // a line each; none: it is right
  std::vector<std::string> common{};      // what the wrong elements have in common

  double share() const { return error <= 0 ? 0 : error / bound; }
  bool right() const { return failures.empty(); }
};

/// A row for each input that wants a gradient. Throws `Error` where the backend cannot run the
/// operation.
std::vector<GradientRow> check_gradients(const GradientCase& one, const KernelTable& kernels);

}  // namespace glia::test
