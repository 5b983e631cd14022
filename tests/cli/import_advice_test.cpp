// What glia import and lists of ids say when names, masks or entries are not as expected, and that
// it works when done as they say.
#include <filesystem>

#include "engine/base/file.h"
#include "tests/cli/advice.h"
#include "tests/cli/pictures.h"

using namespace glia;
using namespace glia::advice;

namespace {

namespace fs = std::filesystem;

/// The rest of the line after `lead`; fails the test where it is not there.
std::string after(const Outcome& outcome, const std::string& lead) {
  const std::size_t at = outcome.output.find(lead);
  REQUIRE(at != std::string::npos);
  const std::size_t from = at + lead.size();
  return outcome.output.substr(from, outcome.output.find('\n', from) - from);
}

}  // namespace

TEST_CASE("advice: folders of images and of masks are named by flags that work", "[cli][advice]") {
  for (const std::string suffix : {"", "_mask"}) {
    const Pictures pictures;
    for (int i = 0; i < 4; ++i) {
      const std::string name = "a_" + std::to_string(i);
      pictures.add_pair(name, i);
      for (const auto& [from, to] : {std::pair(name, "images/" + name),
                                     std::pair(name + "_mask", "masks/" + name + suffix)}) {
        const fs::path place = pictures.path("data/" + to + ".png");
        fs::create_directories(place.parent_path());
        fs::rename(pictures.path("data/" + from + ".png"), place);
      }
    }
    const Words import = with(pictures.import(), {"--group-by", "case"});
    const Outcome told = run_glia(import);
    CAPTURE(suffix, told.output);
    CHECK(told.code == 1);
    CHECK(contains(told, "images/a_0 and masks/a_0" + suffix + ": pass --images images "));
    const Outcome done =
        run_shell("\"$GLIA\" import --group-by case --data " + pictures.path("data") + " --out " +
                  pictures.path("out") + after(told, ": pass"));
    CAPTURE(done.output);
    CHECK(done.code == 0);
    CHECK(contains(done, "     4 of 16 x 16"));
  }
}

TEST_CASE("advice: labels are judged by masks that could be read", "[cli][advice]") {
  const Pictures pictures;
  pictures.add_pair("a", 0);
  const fs::path mask = pictures.path("data/a_mask.png");
  const std::string whole = read_file(mask);
  write_bytes(mask, whole.substr(0, whole.size() / 2));
  const Words import = with(pictures.import(), {"--group-by", "case", "--labels", "255"});
  const Outcome told = run_glia(import);
  CAPTURE(told.output);
  CHECK(told.code == 1);
  CHECK(contains(told, "a_mask.png: damaged"));
  CHECK(contains(told, ": 1 problem, "));
  CHECK_FALSE(contains(told, "no mask has that value"));
  write_bytes(mask, whole);
  works(import);
}

TEST_CASE("lists of ids may begin with a byte order mark", "[cli]") {
  const Network w;
  const std::string mark = "\xEF\xBB\xBF";
  for (const char* part : {"train", "val"})
    write_bytes(w.path(std::string(part) + ".txt"),
                mark + read_file(w.path("split/" + std::string(part) + ".txt")));
  const std::string best = w.path("run/best.safetensors"), slices = w.path("slices");
  works({"evaluate", "--checkpoint", best, "--data", slices, "--list", w.path("val.txt")});
  works(w.on("predict", "slices", "out", {"--list", w.path("val.txt")}));
  Words train = w.train("listed", 1);
  const auto split = std::find(train.begin(), train.end(), "--split");
  train.erase(split, split + 2);
  works(with(train, {"--train-list", w.path("train.txt"), "--val-list", w.path("val.txt")}));
}
