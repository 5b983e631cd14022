// Intervals: against summaries of resamples that are really built, and where the answer is known.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/rng.h"
#include "engine/metrics/bootstrap.h"
#include "tests/catch.h"

namespace {

using glia::Average;
using glia::Case;
using glia::Evaluation;
using glia::Summary;

Summary with_intervals(const Evaluation& evaluation, const glia::BootstrapConfig& config = {}) {
  Summary summary = evaluation.summary();
  add_intervals(summary, evaluation, config);
  return summary;
}

/// Seven patients of one to five slices, with and without tumour, some empty on one or both sides.
Evaluation patients() {
  glia::Sequence random(3, 4);
  Evaluation evaluation;
  for (int patient = 0; patient < 7; ++patient)
    for (std::uint64_t slice = 0; slice <= random.below(5); ++slice) {
      const auto pixels = [&](double chance) {
        return random.chance(chance) ? std::int64_t(random.below(50)) : 0;
      };
      const glia::Counts counts{.tp = pixels(0.6), .fp = pixels(0.5), .fn = pixels(0.5), .tn = 100};
      const bool both_empty = counts.truth_empty() && counts.prediction_empty();
      evaluation.add(std::to_string(100 * patient + int(slice)), "p" + std::to_string(patient),
                     counts, both_empty ? std::optional<double>() : random.uniform(0, 30));
    }
  return evaluation;
}

/// The evaluation of one resample, as if these had been the patients.
Evaluation rebuilt(const Evaluation& evaluation, const std::vector<std::size_t>& places) {
  const auto patients = evaluation.patients();
  Evaluation result;
  for (std::size_t i = 0; i < places.size(); ++i)
    for (const Case& slice : evaluation.slices())
      if (slice.patient == patients[places[i]].id)
        result.add(slice.id, "copy " + std::to_string(i), slice.counts, slice.hd95);
  return result;
}

double sorted_percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double place = share * double(values.size() - 1);
  const auto below = std::size_t(place);
  const double above = values[std::min(below + 1, values.size() - 1)];
  return values[below] + (place - double(below)) * (above - values[below]);
}

}  // namespace

TEST_CASE("intervals are percentiles over resamples of patients", "[metrics]") {
  const Evaluation evaluation = patients();
  const glia::BootstrapConfig config{.resamples = 60, .seed = 9, .level = 0.9};
  const Summary summary = with_intervals(evaluation, config);
  std::map<std::string, std::vector<double>> values;
  const auto visit = [&](const Summary& s, auto&& use) {
    for (const glia::Score& score : glia::all_scores()) {
      const std::string name = score.name;
      use("slice " + name, s.per_slice.*score.average);
      use("patient " + name, s.per_patient.*score.average);
      use("pooled " + name, s.pooled.*score.average);
    }
    use("false positive", s.false_positive_rate);
  };
  for (std::int64_t b = 0; b < config.resamples; ++b) {
    const auto places = glia::resample(config.seed, b, evaluation.patients().size());
    visit(rebuilt(evaluation, places).summary(), [&](const std::string& name, const Average& a) {
      if (a.mean) values[name].push_back(*a.mean);
    });
  }
  int checked = 0;
  visit(summary, [&](const std::string& name, const Average& average) {
    CAPTURE(name);
    REQUIRE(average.interval.has_value() == !values[name].empty());
    if (!average.interval) return;
    CHECK(average.interval->low == Approx(sorted_percentile(values[name], 0.05)).margin(1e-12));
    CHECK(average.interval->high == Approx(sorted_percentile(values[name], 0.95)).margin(1e-12));
    ++checked;
  });
  CHECK(checked == 3 * 9 - 1 + 1);  // HD95 has no pooled figure
}

TEST_CASE("an interval is as wide as theory says", "[metrics]") {
  // 100 patients whose Dice is spread evenly: the mean's standard error is sd / 10.
  Evaluation evaluation;
  double sum = 0, squares = 0;
  for (int i = 0; i < 100; ++i) {
    evaluation.add(std::to_string(i), std::to_string(i), {.tp = i + 1, .fp = 200 - 2 * i, .tn = 1});
    const double dice = evaluation.slices().back().counts.dice().value();
    sum += dice;
    squares += dice * dice;
  }
  const double mean = sum / 100, error = std::sqrt(squares / 100 - mean * mean) / 10;
  const Average dice = with_intervals(evaluation).per_patient.dice;
  CHECK(dice.mean.value() == Approx(mean));
  CHECK(dice.interval->low == Approx(mean - 1.96 * error).margin(0.15 * error));
  CHECK(dice.interval->high == Approx(mean + 1.96 * error).margin(0.15 * error));
}

TEST_CASE("patients that are alike have no spread; slices of one patient do not stand alone",
          "[metrics]") {
  Evaluation alike;
  for (int i = 0; i < 10; ++i)
    alike.add(std::to_string(i), std::to_string(i), {.tp = 3, .fp = 1, .fn = 2, .tn = 9});
  const Average same = with_intervals(alike).per_slice.dice;
  CHECK(same.interval->low == same.mean.value());
  CHECK(same.interval->high == same.mean.value());

  // One patient all right and one all wrong: 200 slices, yet only two that differ.
  Evaluation two;
  for (int i = 0; i < 200; ++i) {
    const bool good = i < 100;
    two.add(std::to_string(i), good ? "good" : "bad", {.tp = good, .fn = !good, .tn = 9});
  }
  const Average wide = with_intervals(two).per_slice.dice;
  CHECK(wide.interval->low == 0);
  CHECK(wide.interval->high == 1);
}

TEST_CASE("intervals depend on the seed alone, and need patients", "[metrics]") {
  const Evaluation evaluation = patients();
  const auto of = [&](std::uint64_t seed) {
    return with_intervals(evaluation, {.resamples = 200, .seed = seed}).per_slice.dice.interval;
  };
  CHECK((of(1)->low == of(1)->low && of(1)->high == of(1)->high));
  CHECK((of(1)->low != of(2)->low || of(1)->high != of(2)->high));

  Evaluation one;
  one.add("1", "a", {.tp = 1, .tn = 1});
  one.add("2", "a", {.fp = 1, .tn = 1});
  CHECK_FALSE(with_intervals(one).per_slice.dice.interval);
  Evaluation unknown = evaluation;
  unknown.add("last", "", {.tp = 1, .tn = 1});
  CHECK_FALSE(with_intervals(unknown).per_patient.dice.interval);
  CHECK_FALSE(with_intervals(Evaluation()).per_patient.dice.interval);
  CHECK_THROWS_AS(with_intervals(evaluation, {.resamples = 0}), glia::Error);
  CHECK_THROWS_AS(with_intervals(evaluation, {.level = 1}), glia::Error);
}
