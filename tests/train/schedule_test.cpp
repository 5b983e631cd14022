#include "engine/optim/schedule.h"

#include <nlohmann/json.hpp>

#include "tests/catch.h"
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

TEST_CASE("schedule: plateau waits, reduces, stops at the minimum and resumes", "[schedule]") {
  const ScheduleConfig config{
      .kind = ScheduleKind::plateau, .initial = 1, .factor = 0.5, .patience = 2, .minimum = 0.3};
  Schedule plateau(config);
  plateau.end_epoch(1.0);
  plateau.end_epoch(1.1);
  CHECK(plateau.rate(3, 0, 1) == 1);
  Schedule resumed(config);
  resumed.restore(nlohmann::json::parse(plateau.state().dump()), "state");
  for (Schedule* schedule : {&plateau, &resumed}) {
    schedule->end_epoch(1.2);
    CHECK(schedule->rate(4, 0, 1) == 0.5);
    schedule->end_epoch(1.2);
    schedule->end_epoch(1.2);
    CHECK(schedule->rate(6, 0, 1) == 0.3);
  }
}

TEST_CASE("schedule: values out of range are refused", "[schedule]") {
  CHECK(error_of([] { Schedule({.initial = 0}); }) ==
        "--learning-rate: found 0, expected more than 0");
  CHECK(error_of([] { parse_schedule("linear"); }) ==
        "--schedule: found 'linear', expected constant, step, cosine or plateau");
}
