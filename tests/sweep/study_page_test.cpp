// The page of a study: the four figures, the published values beside them, and what failed.
#include <string>

#include "engine/sweep/study_charts.h"
#include "engine/sweep/study_page.h"
#include "tests/catch.h"
#include "tests/report/occurrences.h"
#include "tests/sweep/studies.h"

using namespace glia;
using namespace glia::sweep;
using glia::test::make_study;
using glia::test::occurrences;
using glia::test::train_to;

TEST_CASE("sweep: the seed's four figures with bars and the published values", "[sweep][report]") {
  const TempFolder folder;
  Grid grid = test::small_grid();
  grid.values[kBatchSize] = {"12", "4", "6"};
  grid.seeds = 2;
  Study study = make_study(folder.path(), grid, {2});
  for (Trial& trial : study.trials)
    train_to(trial, {0.9, 0.6 + 0.1 * static_cast<double>(trial.point().seed)});
  const std::string html = study_html(study);
  for (const char* title : {"val_loss by batch size, 2 epochs", "val_IoU by batch size, 2 epochs",
                            "val_loss by epoch", "val_IoU by epoch"})
    CHECK(occurrences(html, ">" + std::string(title) + "</text>") == 1);
  CHECK(occurrences(html, "<svg") == 2);
  CHECK(occurrences(html, "published: 1.021, one run") == 1);
  CHECK(occurrences(html, "published: 0.7111, one run") == 1);
  // Mean 0.65 and deviation sqrt(0.005), at three batch sizes.
  CHECK(occurrences(html, "val_loss: 0.6500 ± 0.0707, n = 2, 20 steps, 120 images") == 6);
  CHECK(occurrences(html, "0.6500 ± 0.0707</td>") == 3);
  for (const char* text :
       {"one run each", "split by slice", "not comparable", "one standard deviation",
        "not a medical device", "6 of 6 trials finished"})
    CHECK(html.find(text) != std::string::npos);
  CHECK(html.find("http-equiv") == std::string::npos);
  CHECK(html.find("Failures") == std::string::npos);

  // With a loss of another kind the published loss stays away; its IoU does not.
  study.grid.values[kLoss] = {"bce"};
  const auto charts = curve_charts(study, combine(study));
  REQUIRE(charts.size() == 1);
  CHECK(occurrences(charts[0].svg, "published: 0.3622") == 0);
  CHECK(occurrences(charts[0].svg, "published: 0.7111") == 1);
}

TEST_CASE("sweep: settings without a scale stand side by side by name", "[sweep][report]") {
  const TempFolder folder;
  Grid grid = test::small_grid();
  grid.values[kOptimizer] = {"sgd", "adam"};
  grid.values[kAugment] = {"none", "noise=0.05,brightness=0.1,rotate=15,scale=0.1,flip"};
  Study study = make_study(folder.path(), grid, {1});
  for (Trial& trial : study.trials) train_to(trial, {0.5});
  const auto combinations = combine(study);
  const auto by_optimizer = setting_charts(study, combinations, kOptimizer, 1);
  REQUIRE(by_optimizer.size() == 1);
  CHECK(occurrences(by_optimizer[0].svg, ">sgd</text>") == 2);
  CHECK(occurrences(by_optimizer[0].svg, "published") == 0);
  // Two lines, told apart by letters, since the names do not fit.
  CHECK(occurrences(by_optimizer[0].svg, ">B</text>") == 2);
  CHECK(by_optimizer[0].key.find("B: augment noise=0.05") != std::string::npos);
  const auto by_augment = setting_charts(study, combinations, kAugment, 1);
  CHECK(occurrences(by_augment[0].svg, ">optimizer sgd</text>") == 2);
  CHECK(by_augment[0].key.find("A: none; B: noise=0.05") != std::string::npos);
  // Four combinations are more than a chart takes.
  CHECK(curve_charts(study, combinations).size() == 2);
}

TEST_CASE("sweep: the page of a study that runs or has failures says so", "[sweep][report]") {
  const TempFolder folder;
  Grid grid = test::small_grid();
  grid.values[kLearningRate] = {"0.001", "1000"};
  Study study = make_study(folder.path(), grid, {1});
  study.running = true;
  study.provenance = {{"data", {{"leaking", true}}}};
  std::string html = study_html(study);
  CHECK(html.find("http-equiv=\"refresh\"") != std::string::npos);
  CHECK(html.find("0 of 2 trials finished, 2 waiting") != std::string::npos);
  CHECK(html.find("may stand on both sides") != std::string::npos);
  study.provenance["data"]["patients"]["on_both_sides"] = 2;
  CHECK(study_html(study).find("2 patients have slices on both sides") != std::string::npos);
  study.trials[1].begin();
  study.trials[1].end(false, "exit status 1: the loss is <nan>");
  study.running = false;
  html = study_html(study);
  CHECK(html.find("1 failed") != std::string::npos);
  CHECK(html.find("the loss is &lt;nan&gt;</td>") != std::string::npos);
  CHECK(html.find("Some trials failed") != std::string::npos);
}
