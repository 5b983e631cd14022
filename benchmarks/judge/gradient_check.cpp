#include "benchmarks/judge/gradient_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "benchmarks/judge/common_pattern.h"
#include "benchmarks/judge/draws.h"
#include "benchmarks/judge/execute.h"
#include "benchmarks/judge/tolerance.h"
#include "benchmarks/reference/table.h"

namespace glia::test {

namespace {

struct Difference {
  double value = 0;
  double kink = 0;  // how much the slopes on both sides differ, beyond what a curve explains
};

/// The gradients of one case, an input at a time.
class Gradients {
 public:
  Gradients(const GradientCase& one, const KernelTable& kernels)
      : one_(one), test_(one.test), kernels_(kernels), tolerance_(tolerance_of(test_.op)) {
    for (std::size_t i = 0; i < test_.inputs.size(); ++i)
      inputs_.push_back(draw(test_.inputs[i], i));
    const Outcome truth = execute(test_, reference::table(), {.inputs = inputs_});
    dy_ = signed_numbers(truth.y.size(), 1000);
    here_ = dot(truth.y, dy_);
    plan_ = {.inputs = inputs_, .dy = dy_, .out_shape = truth.shape, .note_kernels = true};
    dense_ = execute(test_, kernels, plan_);
    plan_.note_kernels = false;
    unit_ = std::numeric_limits<float>::epsilon() * test_.condition;
    for (std::size_t i = 0; i < test_.inputs.size(); ++i) {
      plan_.prefill.push_back(signed_numbers(dense_.gradients[i].size(), 4000 + i));
      const double scale = std::max(largest(dense_.gradients[i]), 1e-30);
      for (double& v : plan_.prefill[i]) v = static_cast<float>(v * scale);
    }
    added_ = execute(test_, kernels, plan_);
  }

  GradientRow row(std::size_t i) const {
    GradientRow row{.op = one_.op,
                    .mode = one_.mode,
                    .gradient = i < one_.names.size() ? one_.names[i] : fmt::format("input {}", i),
                    .pass = one_.pass,
                    .kernels = dense_.writers[i],
                    .ran = dense_.ran,
                    .shape = test_.inputs[i].shape,
                    .input = test_.text};
    if (row.pass.empty() && !row.kernels.empty()) row.pass = row.kernels.back();
    for (const std::string& problem : dense_.problems) row.failures.push_back(problem);
    if (dense_.gradients[i].empty()) {
      row.failures.emplace_back("no gradient came");
      return row;
    }
    check_elements(i, row);
    check_accumulate(i, row);
    return row;
  }

 private:
  double moved(std::size_t i, const Values& direction, double step) const {
    Plan plan{.inputs = inputs_};
    for (std::size_t j = 0; j < direction.size(); ++j) plan.inputs[i][j] += step * direction[j];
    return dot(execute(test_, reference::table(), plan).y, dy_);
  }

  /// By steps of h and h / 2, whose leading errors cancel.
  Difference difference(std::size_t i, const Values& direction, double h) const {
    const double up = moved(i, direction, h), down = moved(i, direction, -h);
    const double half_up = moved(i, direction, h / 2), half_down = moved(i, direction, -h / 2);
    const double whole = (up - down) / (2 * h), half = (half_up - half_down) / h;
    const double bend = up - 2 * here_ + down, half_bend = half_up - 2 * here_ + half_down;
    return {.value = (4 * half - whole) / 3, .kink = std::abs(bend - 4 * half_bend) / h};
  }

  /// Keeps the largest error relative to its bound, and says what is beyond.
  static bool compare(const std::string& where, double found, double expected, double bound,
                      GradientRow& row) {
    double error = std::abs(found - expected);
    if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
    const bool wrong = error > bound;
    if (row.where.empty() || error / bound > row.share()) {
      row.where = where;
      row.found = found;
      row.expected = expected;
      row.error = error;
      row.bound = bound;
    }
    return wrong;
  }

  void check_elements(std::size_t i, GradientRow& row) const {
    const Values& gradient = dense_.gradients[i];
    const double h = difference_step(test_.inputs[i], inputs_[i]);
    std::vector<Difference> truth;
    double scale = 0;
    for (std::size_t j = 0; j < gradient.size(); ++j) {
      Values direction(gradient.size());
      direction[j] = 1;
      truth.push_back(difference(i, direction, h));
      scale = std::max(scale, std::abs(truth[j].value));
    }
    const double bound =
        tolerance_.gradient * unit_ * std::sqrt(test_.inputs[i].length) * std::max(scale, 1e-30);
    std::vector<ComparedElement> elements;
    for (std::size_t j = 0; j < gradient.size(); ++j) {
      if (truth[j].kink > bound) {
        ++row.skipped;
        continue;
      }
      const double expected = truth[j].value;
      const bool wrong = compare(place_text(row.shape, j), gradient[j], expected, bound, row);
      elements.push_back({j, gradient[j], expected, wrong});
    }
    row.compared = elements.size();
    row.common = common_pattern(row.shape, elements);
    if (!row.common.empty()) row.failures.push_back(row.common.front());
    check_directions(i, h, bound, row);
  }

  /// Errors of random signs add up to sqrt(n) of one; those of a common sign, such as a mean's, to
  /// n.
  void check_directions(std::size_t i, double h, double bound, GradientRow& row) const {
    const std::size_t n = dense_.gradients[i].size();
    Values signs = signed_numbers(n, 3000 + i);
    for (double& v : signs) v = std::copysign(1, v);
    check_direction(i, "all by 1", Values(n, 1), h, bound * static_cast<double>(n), row);
    check_direction(i, "random signs", signs, h, bound * std::sqrt(static_cast<double>(n)), row);
  }

  void check_direction(std::size_t i, const char* name, const Values& direction, double h,
                       double bound, GradientRow& row) const {
    const Difference truth = difference(i, direction, h / 10);
    if (truth.kink > bound) return;  // some element lies at one
    const double found = dot(dense_.gradients[i], direction);
    if (!compare(name, found, truth.value, bound, row)) return;
    row.failures.push_back(
        fmt::format("all elements moved together ({}): found {:.6g}, expected "
                    "{:.6g}",
                    name, found, truth.value));
    if (row.common.empty() && row.skipped > 0)
      row.common.push_back(fmt::format(
          "every element that was compared is right: what is wrong lies in the {} at a kink or a "
          "tie, whose sum is off by {:.3g}",
          row.skipped, found - truth.value));
  }

  void check_accumulate(std::size_t i, GradientRow& row) const {
    const Values &dense = dense_.gradients[i], &found = added_.gradients[i];
    Values expected = dense;
    for (std::size_t j = 0; j < expected.size(); ++j) expected[j] += plan_.prefill[i][j];
    const double bound = 2 * tolerance_.gradient * unit_ * std::sqrt(test_.inputs[i].length) *
                             std::max(largest(dense), 1e-30) +
                         unit_ * largest(expected);
    bool wrong = false;
    for (std::size_t j = 0; j < expected.size(); ++j)
      wrong = compare(fmt::format("accumulate {}", place_text(row.shape, j)), found[j], expected[j],
                      bound, row) ||
              wrong;
    if (!wrong) return;
    row.failures.emplace_back("added to what memory held: other values than the sum");
    if (found == dense)
      row.common.emplace_back(
          "what memory held is lost: the kernel overwrites (=) where it must add (+=)");
  }

  const GradientCase& one_;
  const Case& test_;
  const KernelTable& kernels_;
  const Tolerance& tolerance_;
  std::vector<Values> inputs_;
  Values dy_;
  double here_ = 0;  // <reference(inputs), dy>
  double unit_ = 0;
  Plan plan_;
  Outcome dense_, added_;
};

}  // namespace

std::vector<GradientRow> check_gradients(const GradientCase& one, const KernelTable& kernels) {
  const Gradients gradients(one, kernels);
  std::vector<GradientRow> rows;
  for (std::size_t i = 0; i < one.test.inputs.size(); ++i)
    if (one.test.inputs[i].grad) rows.push_back(gradients.row(i));
  return rows;
}

}  // namespace glia::test
