// Calibration bins by hand.
#include <limits>
#include <vector>

#include "engine/base/check.h"
#include "engine/metrics/calibration.h"
#include "tests/catch.h"

using glia::Calibration;

TEST_CASE("pixels fall into ten bins", "[metrics]") {
  Calibration calibration;
  const std::vector<float> probability{0, 0.05F, 0.25F, 0.75F, 0.75F, 0.75F, 0.75F, 1};
  const std::vector<float> truth{0, 0, 1, 1, 1, 1, 0, 1};
  calibration.add(probability, truth);
  const auto& bins = calibration.bins();
  CHECK(bins[0].pixels == 2);
  CHECK(bins[0].mean_probability().value() == Approx(0.025));
  CHECK(bins[0].tumour_share().value() == 0);
  CHECK(bins[2].tumour_share().value() == 1);
  CHECK(bins[7].pixels == 4);
  CHECK(bins[7].tumour_share().value() == Approx(0.75));
  CHECK(bins[9].pixels == 1);
  CHECK_FALSE(bins[5].mean_probability());
  CHECK_FALSE(bins[5].tumour_share());
  // Bin 0 is off by 0.025 for two pixels, bin 2 by 0.75 for one; bins 7 and 9 are right.
  CHECK(calibration.expected_error().value() == Approx((2 * 0.025 + 0.75) / 8));
  CHECK(calibration.expected_error_above_lowest().value() == Approx(0.75 / 6));
  CHECK(calibration.brier().value() ==
        Approx((0.05 * 0.05 + 0.75 * 0.75 + 3 * 0.25 * 0.25 + 0.75 * 0.75) / 8));
}

TEST_CASE("slices add up, and strange probabilities count as the nearer end", "[metrics]") {
  Calibration calibration;
  CHECK_FALSE(calibration.expected_error());
  CHECK_FALSE(calibration.brier());
  const std::vector<float> strange{std::numeric_limits<float>::quiet_NaN(), -3, 7,
                                   std::numeric_limits<float>::infinity()};
  calibration.add(strange, std::vector<float>{0, 0, 1, 1});
  CHECK_FALSE(calibration.expected_error_above_lowest().value() > 0);
  calibration.add(std::vector<float>{0.5F}, std::vector<float>{1});
  CHECK(calibration.bins()[0].pixels == 2);
  CHECK(calibration.bins()[9].pixels == 2);
  CHECK(calibration.bins()[5].pixels == 1);
  CHECK(calibration.brier().value() == Approx(0.25 / 5));
  CHECK_THROWS_AS(calibration.add(strange, std::vector<float>{0}), glia::Error);
}
