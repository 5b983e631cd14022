#include "benchmarks/judge/not_finite.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace glia::test {

namespace {

/// A value of the same kind that the operation tells from `v`.
double other_than(double v, const Input& input) {
  if (input.fill == Fill::binary) return 1 - v;
  return v + 0.75 * (input.high - input.low);
}

/// Elements that differ between `before` and `changed` and are not NaN in `tainted`.
std::size_t count_lost(const Values& before, const Values& changed, const Values& tainted) {
  std::size_t lost = 0;
  for (std::size_t i = 0; i < before.size(); ++i)
    lost += before[i] != changed[i] && !std::isnan(tainted[i]);
  return lost;
}

}  // namespace

std::vector<std::string> lost_nans(const Case& test, const KernelTable& kernels, const Plan& plan,
                                   const Outcome& before) {
  std::vector<std::string> problems;
  if (test.op == "confusion_counts") return problems;  // integers
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto note = [&](const std::string& into, const std::string& what, std::size_t lost) {
    if (lost > 0)
      problems.push_back(fmt::format(
          "a NaN in {} does not reach {} elements of {} that depend on it", into, lost, what));
  };
  for (std::size_t i = 0; i < plan.inputs.size(); ++i) {
    if (plan.inputs[i].empty()) continue;
    Plan changed = plan, tainted = plan;
    const std::size_t j = plan.inputs[i].size() / 2;
    changed.inputs[i][j] = other_than(plan.inputs[i][j], test.inputs[i]);
    tainted.inputs[i][j] = nan;
    const Outcome a = execute(test, kernels, changed), b = execute(test, kernels, tainted);
    const std::string into = fmt::format("input {}", i);
    note(into, "the result", count_lost(before.y, a.y, b.y));
    for (std::size_t k = 0; k < before.updated.size(); ++k)
      note(into, fmt::format("what it updates ({})", test.updated[k]),
           count_lost(before.updated[k], a.updated[k], b.updated[k]));
  }
  if (plan.dy.empty()) return problems;
  Plan changed = plan, tainted = plan;
  const std::size_t j = plan.dy.size() / 2;
  changed.dy[j] += 1;
  tainted.dy[j] = nan;
  const Outcome a = execute(test, kernels, changed), b = execute(test, kernels, tainted);
  for (std::size_t i = 0; i < before.gradients.size(); ++i)
    note("the gradient to start from", fmt::format("gradient {}", i),
         count_lost(before.gradients[i], a.gradients[i], b.gradients[i]));
  return problems;
}

}  // namespace glia::test
