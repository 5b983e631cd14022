// What a study makes of its trials' files: states, means and spreads, tables.
#include <cmath>
#include <sstream>
#include <string>

#include "engine/base/check.h"
#include "engine/sweep/study_files.h"
#include "tests/catch.h"
#include "tests/sweep/studies.h"

using namespace glia;
using namespace glia::sweep;
using glia::test::make_study;
using glia::test::make_trial;
using glia::test::train_to;

TEST_CASE("sweep: mean and standard deviation by hand", "[sweep]") {
  CHECK(spread_of({}).n == 0);
  CHECK(std::isnan(spread_of({}).mean));
  const double one[] = {3};
  CHECK(spread_of(one).mean == 3);
  CHECK(std::isnan(spread_of(one).deviation));
  const double four[] = {2, 4, 4, 6};  // mean 4, squares 4 + 0 + 0 + 4, over 3
  CHECK(spread_of(four).n == 4);
  CHECK(spread_of(four).mean == Approx(4));
  CHECK(spread_of(four).deviation == Approx(std::sqrt(8.0 / 3)));
}

TEST_CASE("sweep: a trial's state comes from its folder", "[sweep]") {
  const TempFolder folder;
  const Point point = test::small_grid().points().front();
  Trial trial = make_trial(folder.path(), point, 2);
  CHECK(trial.state() == State::waiting);
  trial.begin();
  make_folder(trial.run());
  write_file_atomically(trial.run() / "config.json", "{}");
  trial.end(false, "exit status 1: no luck");
  CHECK(trial.state() == State::failed);
  CHECK(make_trial(folder.path(), point, 2).failure() == "exit status 1: no luck");

  // The run left no checkpoint: the next attempt starts in an empty place.
  trial.begin();
  CHECK(trial.state() == State::waiting);
  CHECK_FALSE(std::filesystem::exists(trial.run()));
  make_folder(trial.run());
  write_file_atomically(trial.run() / "last.safetensors", "weights");
  trial.end(false, "");
  CHECK(trial.state() == State::unfinished);
  train_to(trial, {0.9, 0.8});
  CHECK(trial.state() == State::finished);
  CHECK(std::filesystem::exists(trial.run() / "last.safetensors"));

  // Fewer epochs are part of it, more are not; what failed later takes nothing back.
  CHECK(make_trial(folder.path(), point, 1).state() == State::finished);
  Trial longer = make_trial(folder.path(), point, 3);
  CHECK(longer.state() == State::unfinished);
  longer.begin();
  longer.end(false, "exit status 1: no luck");
  CHECK(longer.state() == State::failed);
  CHECK(make_trial(folder.path(), point, 2).state() == State::finished);

  // Finished epochs are not removed for want of a checkpoint.
  std::filesystem::remove(trial.run() / "last.safetensors");
  CHECK_THROWS_WITH(longer.begin(), ContainsSubstring("no last.safetensors"));
  CHECK(std::filesystem::exists(trial.run() / "metrics.jsonl"));
}

TEST_CASE("sweep: a trial is known by everything that its result depends on", "[sweep]") {
  const TempFolder folder;
  Point point = test::small_grid().points().front();
  const auto name = [&](const Length& length, bool tied, const char* data) {
    return Trial(folder.path(), point, length, tied, {{"data", data}}).name();
  };
  const std::string first = name({2, 0}, false, "/slices");
  CHECK(first.find("b6-lr0.001-adam-w4-s0-") == 0);
  CHECK(name({5, 0}, false, "/slices") == first);  // it goes on
  CHECK(name({5, 0}, true, "/slices") != name({2, 0}, true, "/slices"));
  CHECK(name({2, 9}, false, "/slices") != first);
  CHECK(name({2, 0}, false, "/others") != first);
  point.values[kAugment] = "flip";
  CHECK(name({2, 0}, false, "/slices") != first);
}

TEST_CASE("sweep: damaged files are named", "[sweep]") {
  const TempFolder folder;
  const Point point = test::small_grid().points().front();
  Trial trial = make_trial(folder.path(), point, 1);
  train_to(trial, {0.5});
  write_file_atomically(trial.run() / "metrics.jsonl", "{\"epoch\": 1");
  CHECK_THROWS_WITH(make_trial(folder.path(), point, 1),
                    ContainsSubstring("metrics.jsonl: line 1: no valid JSON"));
  write_file_atomically(trial.folder() / "trial.json", "{}");
  CHECK_THROWS_WITH(make_trial(folder.path(), point, 1),
                    ContainsSubstring("trial.json: is damaged"));
}

TEST_CASE("sweep: means are over the finished seeds of a combination", "[sweep]") {
  const TempFolder folder;
  Grid grid = test::small_grid();
  grid.values[kBatchSize] = {"4", "12"};
  grid.seeds = 3;
  Study study = make_study(folder.path(), grid, {1, 2});
  train_to(study.trials[0], {0.9, 0.5});       // batch 4, seed 0
  train_to(study.trials[2], {0.7, 0.3, 0.1});  // batch 4, seed 1, from a longer study
  study.trials[4].begin();                     // batch 4, seed 2
  study.trials[4].end(false, "exit status 1: the loss is nan, \"far\" off");

  const auto combinations = combine(study);
  REQUIRE(combinations.size() == 2);
  const Combination& four = combinations[0];
  CHECK(describe(four.values, grid.varied()) == "batch 4");
  REQUIRE(four.curve.size() == 3);
  CHECK(four.at(1)->val_loss.mean == Approx(0.8));
  CHECK(four.at(2)->val_loss.mean == Approx(0.4));
  CHECK(four.at(2)->val_loss.deviation == Approx(std::sqrt(0.02)));
  CHECK(four.at(2)->val_iou.mean == Approx(0.04));
  CHECK(four.at(2)->steps == 20);
  CHECK(four.at(2)->images == 120);
  CHECK(four.at(3)->val_loss.n == 1);
  CHECK_FALSE(four.at(4));
  CHECK(combinations[1].curve.empty());
  CHECK(compared_epochs(study) == std::vector<std::int64_t>{1, 2});

  const auto json = nlohmann::json::parse(study_json(study));
  CHECK(json["trials"][4]["state"] == "failed");
  CHECK(json["trials"][5]["state"] == "waiting");
  CHECK(json["means"][1]["val_loss"]["mean"].get<double>() == Approx(0.4));
  CHECK(json["means"][2]["val_loss"]["standard_deviation"].is_null());
  CHECK(json["published"]["by_batch_size_after_2_epochs"][2]["val_loss"] == 1.021);

  std::istringstream csv(trials_csv(study));
  std::vector<std::string> lines;
  for (std::string line; std::getline(csv, line);) lines.push_back(line);
  REQUIRE(lines.size() == 1 + 2 + 1 + 3 + 1 + 1 + 1);
  CHECK(lines[2].find(",finished,4,0.001,adam,iou,4,none,0,2,20,120,1,0,0.5,0.05,2.500,") !=
        std::string::npos);
  CHECK(lines[8].find(",none,2,,,,,,,,,\"exit status 1: the loss is nan, \"\"far\"\" off\"") !=
        std::string::npos);
}
