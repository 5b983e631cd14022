#include "benchmarks/judge/examine.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/base/check.h"
#include "engine/base/rng.h"
#include "kernels/cpu/conv/bf16_round.h"
#include "kernels/cpu/table.h"
#include "benchmarks/judge/devices.h"
#include "benchmarks/judge/draws.h"
#include "benchmarks/judge/execute.h"
#include "benchmarks/judge/not_finite.h"
#include "benchmarks/judge/tolerance.h"
#include "benchmarks/reference/table.h"

namespace glia::test {

const Tolerance& tolerance_of(std::string_view op) {
  const auto row = std::find_if(std::begin(kTolerances), std::end(kTolerances),
                                [&](const Tolerance& t) { return t.op == op; });
  check(row != std::end(kTolerances), "benchmarks/judge/tolerance.h: no row for '{}'", op);
  return *row;
}

namespace {

void round_to_bf16(Values& values) {
  for (double& v : values) v = cpu::float_of(cpu::round_to_bf16(static_cast<float>(v)));
}

/// Ten bits of mantissa: the others are cut off, since any number that tf32 has will do.
void cut_to_tf32(Values& values) {
  for (double& v : values)
    v = std::bit_cast<float>(std::bit_cast<std::uint32_t>(static_cast<float>(v)) & 0xFFFFE000u);
}

/// The checks of one case on one backend, in the order of examine.h.
class Examination {
 public:
  Examination(const Case& test, const KernelTable& kernels) : test_(test), kernels_(kernels) {
    for (std::size_t i = 0; i < test.inputs.size(); ++i) {
      inputs_.push_back(draw(test.inputs[i], i));
      if (test.bf16 || in_bf16()) round_to_bf16(inputs_.back());
      if (test.tf32) cut_to_tf32(inputs_.back());
    }
    wants_gradient_ = std::any_of(test.inputs.begin(), test.inputs.end(),
                                  [](const Input& input) { return input.grad; });
  }

  Report run() {
    const Tolerance& tolerance = tolerance_of(test_.op);
    const double epsilon = kernels_.parameters == DType::f64
                               ? std::numeric_limits<double>::epsilon()
                               : std::numeric_limits<float>::epsilon();
    unit_ = epsilon * test_.condition;

    const Outcome truth = plan();
    dense_ = execute(test_, kernels_, plan_);
    add_problems("dense", dense_);
    if (dense_.shape != truth.shape) {
      report_.failures.push_back(
          fmt::format("the result is {}, expected {}", dense_.shape.str(), truth.shape.str()));
      return report_;
    }
    bound_ = tolerance.forward * unit_ * std::sqrt(test_.length) *
             std::max(largest(truth.y), test_.floor);
    compare("forward", dense_.y, truth.y, bound_, rounding_of(dense_.type));
    bound_ += rounding_of(dense_.type) * largest(truth.y);
    for (std::size_t i = 0; i < test_.updated.size(); ++i)
      compare(fmt::format("update of input {}", test_.updated[i]), dense_.updated[i],
              truth.updated[i],
              tolerance.forward * epsilon * std::sqrt(test_.length) * largest(truth.updated[i]));

    for (std::size_t i = 0; i < test_.inputs.size(); ++i) {
      gradient_bounds_.push_back(0);
      if (!test_.inputs[i].grad || dense_.gradients[i].empty()) continue;
      check_gradient(i, tolerance);
      if (test_.inputs[i].linear) check_adjoint(i);
    }
    if (wants_gradient_) check_accumulate();
    check_slices();
    check_repeatability();
    check_nans();
    return report_;
  }

  void only_run() {
    plan();
    execute(test_, kernels_, plan_);
    for (const Margins& margins : {kOddMargins, kAlignedMargins}) {
      plan_.slices = margins;
      execute(test_, kernels_, plan_);
    }
  }

 private:
  /// Draws the gradient to start from; the result as it should be.
  Outcome plan() {
    Outcome truth = execute(test_, reference::table(), {.inputs = inputs_});
    if (wants_gradient_) dy_ = signed_numbers(truth.y.size(), 1000);
    if (test_.bf16 || in_bf16()) round_to_bf16(dy_);
    if (test_.tf32) cut_to_tf32(dy_);
    plan_ = {.inputs = inputs_, .dy = dy_, .out_shape = truth.shape};
    return truth;
  }

  bool in_bf16() const { return kernels_.activations == DType::bf16; }
  /// By what share of itself a number may change when it is stored.
  static double rounding_of(DType type) { return type == DType::bf16 ? 0x1p-8 : 0; }
  double rounding_of(const Input& input) const {
    return rounding_of(input.image ? kernels_.activations : kernels_.parameters);
  }

  void add_problems(const std::string& what, const Outcome& outcome) {
    for (const std::string& problem : outcome.problems)
      report_.failures.push_back(what + ": " + problem);
  }

  /// Records by how much of `bound`, and `rounding` times the element, the worst element is off;
  /// NaN is infinitely off.
  void compare(const std::string& what, const Values& found, const Values& expected, double bound,
               double rounding = 0) {
    double worst = -1;
    std::size_t place = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      double error = found[i] == expected[i] ? 0 : std::abs(found[i] - expected[i]);
      if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
      error = std::max(0.0, error - rounding * std::abs(expected[i]));
      if (error > worst) {
        worst = error;
        place = i;
      }
    }
    const double share = worst <= 0 ? 0 : worst / bound;
    report_.shares.push_back(fmt::format("{} {:.2f}", what, share));
    if (share > 1)
      report_.failures.push_back(
          fmt::format("{}, element {} of {}: found {:.9g}, expected {:.9g}, an error of {:.3g} "
                      "times the bound {:.3g}",
                      what, place, expected.size(), found[place], expected[place], share, bound));
  }

  /// The derivative of <reference(inputs), dy> when input `i` moves along `direction`.
  double derivative(std::size_t i, const Values& direction, double step) {
    double ends[2];
    for (int side = 0; side < 2; ++side) {
      Plan plan{.inputs = inputs_};
      for (std::size_t j = 0; j < direction.size(); ++j)
        plan.inputs[i][j] += (side == 0 ? step : -step) * direction[j];
      ends[side] = dot(execute(test_, reference::table(), plan).y, dy_);
    }
    return (ends[0] - ends[1]) / (2 * step);
  }

  /// All elements of a small input, else the two ends and a random choice.
  std::vector<std::size_t> sampled(std::size_t count, std::uint64_t stream) const {
    std::vector<std::size_t> elements;
    if (count <= test_.samples) {
      for (std::size_t j = 0; j < count; ++j) elements.push_back(j);
      return elements;
    }
    Sequence sequence(kDrawSeed, 2000 + stream);
    elements = {0, count - 1};
    while (elements.size() < test_.samples) elements.push_back(sequence.below(count));
    return elements;
  }

  void check_gradient(std::size_t i, const Tolerance& tolerance) {
    const Input& input = test_.inputs[i];
    const Values& gradient = dense_.gradients[i];
    const double step = difference_step(input, inputs_[i]);
    Values found, expected;
    for (std::size_t j : sampled(gradient.size(), i)) {
      Values direction(gradient.size());
      direction[j] = 1;
      found.push_back(gradient[j]);
      expected.push_back(derivative(i, direction, step));
    }
    const double scale = largest(expected);
    const auto nonzero = std::count_if(expected.begin(), expected.end(),
                                       [&](double v) { return std::abs(v) > 1e-6 * scale; });
    if (static_cast<double>(nonzero) < input.min_nonzero * static_cast<double>(expected.size()))
      report_.failures.push_back(
          fmt::format("gradient {}: only {} of {} sampled gradients are not zero, which tests "
                      "too little",
                      i, nonzero, expected.size()));

    const double share = tolerance.gradient * unit_ * std::sqrt(input.length) +
                         tolerance.saved * rounding_of(dense_.type);
    const double bound = share * scale;
    const double rounding = rounding_of(input);
    // Of other elements than the sampled ones, which are smaller where they lie at an edge.
    gradient_bounds_[i] = (share + rounding) * std::max(scale, largest(gradient));
    compare(fmt::format("gradient {}", i), found, expected, bound, rounding);

    // Random signs: the errors of n elements add up to sqrt(n) of one.
    Values direction = signed_numbers(gradient.size(), 3000 + i);
    for (double& v : direction) v = std::copysign(1, v);
    compare(fmt::format("directional derivative {}", i), {dot(gradient, direction)},
            {derivative(i, direction, step / 10)},
            bound * std::sqrt(static_cast<double>(gradient.size())) +
                2 * rounding * std::sqrt(dot(gradient, gradient)));  // at least 3.5 deviations
  }

  void check_adjoint(std::size_t i) {
    Plan plan{.inputs = inputs_};
    plan.inputs[i].assign(plan.inputs[i].size(), 0);
    const Values offset = execute(test_, kernels_, plan).y;
    Values y = dense_.y;
    for (std::size_t j = 0; j < y.size(); ++j) y[j] -= offset[j];
    const double left = dot(y, dy_), right = dot(inputs_[i], dense_.gradients[i]);
    const double rounding = 1e-12 * static_cast<double>(y.size()) * largest(y);
    const double bound = std::sqrt(static_cast<double>(y.size())) * 2 * bound_ +
                         std::sqrt(static_cast<double>(inputs_[i].size())) * gradient_bounds_[i] *
                             largest(inputs_[i]) +
                         rounding;
    compare(fmt::format("adjoint in {}", i), {left}, {right}, bound);
  }

  void check_accumulate() {
    Plan plan = plan_;
    for (std::size_t i = 0; i < test_.inputs.size(); ++i) {
      plan.prefill.push_back(signed_numbers(dense_.gradients[i].size(), 4000 + i));
      const double scale = std::max(largest(dense_.gradients[i]), 1e-30);
      for (double& v : plan.prefill[i]) v = static_cast<float>(v * scale);
      if (in_bf16()) round_to_bf16(plan.prefill[i]);
    }
    const Outcome outcome = execute(test_, kernels_, plan);
    add_problems("accumulate", outcome);
    for (std::size_t i = 0; i < test_.inputs.size(); ++i) {
      if (dense_.gradients[i].empty()) continue;
      Values expected = dense_.gradients[i];
      for (std::size_t j = 0; j < expected.size(); ++j) expected[j] += plan.prefill[i][j];
      // Twice: what is expected was rounded once before it is added to.
      compare(fmt::format("accumulate {}", i), outcome.gradients[i], expected,
              2 * gradient_bounds_[i] + unit_ * largest(expected), rounding_of(test_.inputs[i]));
    }
  }

  void check_slices() {
    for (const auto& [name, margins] :
         {std::pair("slices", kOddMargins),
          std::pair("aligned slices", in_bf16() ? kAlignedMarginsInBf16 : kAlignedMargins)}) {
      Plan plan = plan_;
      plan.slices = margins;
      const Outcome outcome = execute(test_, kernels_, plan);
      add_problems(name, outcome);
      compare_with_dense(name, outcome);
    }
  }

  void compare_with_dense(const std::string& name, const Outcome& outcome) {
    compare(fmt::format("{} forward", name), outcome.y, dense_.y, 2 * bound_);
    for (std::size_t i = 0; i < test_.inputs.size(); ++i)
      if (!dense_.gradients[i].empty())
        compare(fmt::format("{} gradient {}", name, i), outcome.gradients[i], dense_.gradients[i],
                2 * gradient_bounds_[i]);
  }

  void check_repeatability() {
    for (int threads : is_threaded(kernels_) ? std::vector{1, 2, 3} : std::vector{1}) {
      Plan plan = plan_;
      plan.threads = threads;
      const Outcome outcome = execute(test_, kernels_, plan);
      const std::string name = fmt::format("{} threads", threads);
      add_problems(name, outcome);
      const bool other_sums = threads > 1 && splits_sums_by_threads(kernels_);
      if (other_sums) compare_with_dense(name, outcome);
      const Outcome before = other_sums ? execute(test_, kernels_, plan) : dense_;
      bool same = same_bits(outcome.y, before.y);
      for (std::size_t i = 0; i < before.updated.size(); ++i)
        same = same && same_bits(outcome.updated[i], before.updated[i]);
      for (std::size_t i = 0; i < before.gradients.size(); ++i)
        same = same && same_bits(outcome.gradients[i], before.gradients[i]);
      if (!same)
        report_.failures.push_back(
            fmt::format("repeat: other bits in a second run with {} threads", threads));
    }
  }

  /// On small cases: each takes a few more runs an input.
  void check_nans() {
    constexpr std::size_t kMost = 700;
    std::size_t elements = dense_.y.size();
    for (const Values& input : inputs_) elements += input.size();
    if (elements > kMost) return;
    for (std::string& problem : lost_nans(test_, kernels_, plan_, dense_))
      report_.failures.push_back(std::move(problem));
  }

  static bool same_bits(const Values& a, const Values& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
  }

  const Case& test_;
  const KernelTable& kernels_;
  std::vector<Values> inputs_;
  bool wants_gradient_ = false;
  Values dy_;
  Plan plan_;
  Outcome dense_;
  double unit_ = 0, bound_ = 0;
  std::vector<double> gradient_bounds_;
  Report report_;
};

}  // namespace

Report examine(const Case& test, const KernelTable& kernels) {
  try {
    return Examination(test, kernels).run();
  } catch (const Error& error) {
    return {.failures = {fmt::format("threw: {}", error.what())}, .shares = {}};
  }
}

void only_run(const Case& test, const KernelTable& kernels) {
  Examination(test, kernels).only_run();
}

}  // namespace glia::test
