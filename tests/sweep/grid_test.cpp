// The plan of a sweep: values, combinations, lengths.
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/sweep/length.h"
#include "tests/catch.h"
#include "tests/sweep/studies.h"

using namespace glia;
using namespace glia::sweep;

namespace {

using Values = std::vector<std::string>;

const Setting& setting(std::size_t place) {
  return settings()[place];
}

}  // namespace

TEST_CASE("sweep: lists are read, written one way, and refused by name", "[sweep]") {
  CHECK(read_values(setting(kBatchSize), "4,6,12") == Values{"4", "6", "12"});
  CHECK(read_values(setting(kLearningRate), "1e-3,0.01") == Values{"0.001", "0.01"});
  CHECK(read_values(setting(kLoss), "iou,iou+0.5*bce") == Values{"iou", "iou+0.5*bce"});
  // Commas belong to one augmentation; a slash goes to the next.
  CHECK(read_values(setting(kAugment), "none/flip,rotate=15") == Values{"none", "rotate=15,flip"});
  CHECK(read_epochs("5,1,2,5") == std::vector<std::int64_t>{1, 2, 5});
  for (const char* wrong : {"", "4,", "0", "-1", "4.5", "many"})
    CHECK_THROWS_WITH(read_values(setting(kBatchSize), wrong), ContainsSubstring("--batch-size"));
  CHECK_THROWS_WITH(read_values(setting(kLearningRate), "1e-3,0.001"),
                    ContainsSubstring("0.001 twice"));
  CHECK_THROWS_WITH(read_epochs("0"), ContainsSubstring("--epochs"));
}

TEST_CASE("sweep: every combination with the first seed, then with the next", "[sweep]") {
  Grid grid = test::small_grid();
  grid.values[kBatchSize] = {"4", "6"};
  grid.values[kOptimizer] = {"adam", "sgd"};
  grid.seeds = 2;
  CHECK(grid.varied() == std::vector<std::size_t>{kBatchSize, kOptimizer});
  Values seen;
  for (const Point& point : grid.points())
    seen.push_back(
        fmt::format("{} {} {}", point.values[kBatchSize], point.values[kOptimizer], point.seed));
  CHECK(seen == Values{"4 adam 0", "4 sgd 0", "6 adam 0", "6 sgd 0", "4 adam 1", "4 sgd 1",
                       "6 adam 1", "6 sgd 1"});
}

TEST_CASE("sweep: trials of the same number of epochs, steps or images", "[sweep]") {
  const auto length = [](Match match, std::int64_t batch) {
    const Length found = trial_length(match, 2, 4, batch, 100);  // 25 steps an epoch with batch 4
    return std::pair{found.epochs, found.max_steps};
  };
  using Pair = std::pair<std::int64_t, std::int64_t>;
  for (const std::int64_t batch : {4, 6, 12}) CHECK(length(Match::epochs, batch) == Pair{2, 0});
  CHECK(length(Match::steps, 4) == Pair{2, 0});
  CHECK(length(Match::steps, 10) == Pair{5, 0});   // 10 steps an epoch: 50 are 5 epochs
  CHECK(length(Match::steps, 12) == Pair{7, 50});  // 8 steps an epoch: 50 end in the seventh
  CHECK(length(Match::images, 4) == Pair{2, 0});
  CHECK(length(Match::images, 10) == Pair{2, 0});   // 200 images are 20 steps
  CHECK(length(Match::images, 12) == Pair{3, 17});  // 17 steps see 204 images, 16 see 192
  CHECK(length(Match::images, 6) == Pair{3, 33});   // 33 steps see 198, 34 see 204
  // Training will refuse it; it must not divide by 0 here.
  CHECK(length(Match::steps, 101) == Pair{2, 0});
  CHECK_THROWS_WITH(trial_length(Match::steps, 2, 101, 4, 100),
                    ContainsSubstring("larger than the 100 training slices"));
  CHECK_THROWS_WITH(parse_match("time"), ContainsSubstring("--match: found 'time'"));
}
