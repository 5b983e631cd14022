// The threshold curve against evaluations made at each threshold.
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/rng.h"
#include "engine/metrics/evaluation.h"
#include "engine/metrics/threshold_curve.h"
#include "tests/catch.h"

using glia::Counts;
using glia::ThresholdCurve;

TEST_CASE("every point is an evaluation at its threshold", "[metrics]") {
  constexpr int kSlices = 9, kPixels = 60;
  glia::Sequence random(5, 6);
  std::vector<std::vector<float>> probability(kSlices), truth(kSlices);
  ThresholdCurve curve;
  const auto patient = [](int slice) {
    return slice == 8 ? std::string() : std::to_string(slice / 3);
  };
  for (int s = 0; s < kSlices; ++s) {
    for (int i = 0; i < kPixels; ++i) {
      const bool tumour = s % 4 != 0 && random.chance(0.2);
      truth[s].push_back(tumour);
      // Some lie on a threshold, where they do not count as predicted.
      const double p = random.uniform() * (tumour ? 1 : 0.6);
      probability[s].push_back(
          float(random.chance(0.3) ? ThresholdCurve::threshold(int(p * 98)) : p));
    }
    curve.add(patient(s), probability[s], truth[s]);
  }
  const auto points = curve.points();
  REQUIRE(points.size() == 99);
  for (const ThresholdCurve::Point& point : points) {
    glia::Evaluation evaluation;
    for (int s = 0; s < kSlices; ++s) {
      Counts c;
      for (int i = 0; i < kPixels; ++i) {
        const bool predicted = probability[s][i] > float(point.threshold), tumour = truth[s][i] > 0;
        ++(predicted ? tumour ? c.tp : c.fp : tumour ? c.fn : c.tn);
      }
      evaluation.add(std::to_string(s), patient(s), c);
    }
    const glia::Summary summary = evaluation.summary();
    CAPTURE(point.threshold);
    CHECK(point.per_slice.value() == Approx(summary.per_slice.dice.mean.value()));
    CHECK(point.per_patient.value() == Approx(summary.per_patient.dice.mean.value()));
    CHECK(point.pooled.value() == Approx(summary.pooled.dice.mean.value()));
  }
  const auto best = curve.best();
  for (const ThresholdCurve::Point& point : points)
    CHECK(point.per_patient.value() <= best->per_patient.value());
}

TEST_CASE("the lowest of equally good thresholds is the best", "[metrics]") {
  ThresholdCurve curve;
  CHECK(curve.points().empty());
  CHECK_FALSE(curve.best());
  // Right at every threshold from 0.30 to below 0.80.
  curve.add("", std::vector<float>{0.3F, 0.8F}, std::vector<float>{0, 1});
  CHECK(curve.best()->threshold == Approx(0.30));
  CHECK(curve.best()->per_slice.value() == 1);
  CHECK_FALSE(curve.best()->per_patient);
  CHECK(curve.points()[28].per_slice.value() == Approx(2.0 / 3));
  CHECK(curve.points()[79].per_slice.value() == 0);
  CHECK_THROWS_AS(curve.add("", std::vector<float>(2), std::vector<float>(3)), glia::Error);
}
