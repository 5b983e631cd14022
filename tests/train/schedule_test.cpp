#include "engine/optim/schedule.h"

#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/train/kept_keys.h"
#include "tests/data/slices.h"

using namespace glia;
using namespace glia::optim;

TEST_CASE("schedule: constant, step and cosine follow their formulas", "[schedule]") {
  CHECK(Schedule({.kind = ScheduleKind::constant, .initial = 0.2}).rate(9, 5, 10) == 0.2);
  const Schedule step({.kind = ScheduleKind::step, .initial = 1, .factor = 0.1, .every = 3});
  CHECK(step.rate(1, 0, 1) == 1);
  CHECK(step.rate(3, 0, 1) == 1);
  CHECK(step.rate(4, 0, 1) == Approx(0.1));
  CHECK(step.rate(7, 0, 1) == Approx(0.01));
  const Schedule cosine({.kind = ScheduleKind::cosine, .initial = 1, .minimum = 0.2});
  CHECK(cosine.rate(1, 0, 100) == Approx(1));
  CHECK(cosine.rate(1, 50, 100) == Approx(0.6));
  CHECK(cosine.rate(1, 100, 100) == Approx(0.2));
}

TEST_CASE("schedule: plateau waits as PyTorch does, stops at the minimum and resumes",
          "[schedule]") {
  const ScheduleConfig config{
      .kind = ScheduleKind::plateau, .initial = 1, .factor = 0.5, .patience = 2, .minimum = 0.3};
  Schedule schedule(config);
  // The rate after each epoch, by torch.optim.lr_scheduler.ReduceLROnPlateau(factor=0.5,
  // patience=2, threshold=0, min_lr=0.3) on the same losses.
  const double losses[] = {1.0, 1.1, 1.2, 1.0, 0.9, 0.95, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8};
  const double rates[] = {1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3};
  for (std::size_t i = 0; i < std::size(losses); ++i) {
    CAPTURE(i);
    schedule.end_epoch(losses[i]);
    CHECK(schedule.rate(static_cast<std::int64_t>(i) + 2, 0, 1) == rates[i]);
    Schedule resumed(config);
    resumed.restore(nlohmann::json::parse(schedule.state().dump()), "state");
    schedule = resumed;
  }
  Schedule hasty({.kind = ScheduleKind::plateau, .initial = 1, .factor = 0.5, .patience = 0});
  hasty.end_epoch(1);
  CHECK(hasty.rate(2, 0, 1) == 1);
  hasty.end_epoch(1);
  CHECK(hasty.rate(3, 0, 1) == 0.5);
}

TEST_CASE("schedule: what is kept of it is what its kind reads", "[schedule]") {
  using Keys = std::vector<std::string>;
  const auto keys = [](const ScheduleKind kind) { return test::kept_keys<ScheduleConfig>(kind); };
  CHECK(keys(ScheduleKind::constant) == Keys{"initial", "kind"});
  CHECK(keys(ScheduleKind::step) == Keys{"every", "factor", "initial", "kind"});
  CHECK(keys(ScheduleKind::cosine) == Keys{"initial", "kind", "minimum"});
  CHECK(keys(ScheduleKind::plateau) == Keys{"factor", "initial", "kind", "minimum", "patience"});
}

TEST_CASE("schedule: values out of range are refused", "[schedule]") {
  CHECK(error_of([] { Schedule({.initial = 0}); }) ==
        "--learning-rate: found 0, expected more than 0, within the range of float32");
  CHECK(error_of([] { Schedule({.patience = -1}); }) ==
        "--schedule-patience: found -1, expected 0 or more");
  CHECK(error_of([] { parse_schedule("linear"); }) ==
        "--schedule: found 'linear', expected constant, step, cosine or plateau");
}
