// Whose the slices are, from import and split to evaluation, sweep, model card and check-data:
// which rule is taken, what is said of it, and that what is advised works.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>

#include "engine/base/file.h"
#include "tests/cli/workspace.h"
#include "tests/data/slices.h"
#include "tests/formats/encode.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

Outcome done(const Words& words) {
  Outcome outcome = run_glia(words);
  CAPTURE(words, outcome.output);
  REQUIRE(outcome.code == 0);
  return outcome;
}

/// What the output says from `lead` to the end of the line, or to `end`.
std::string rest_of(const Outcome& outcome, const std::string& lead, const char* end = "\n") {
  const std::size_t at = outcome.output.find(lead);
  CAPTURE(outcome.output, lead);
  REQUIRE(at != std::string::npos);
  const std::size_t from = at + lead.size();
  return outcome.output.substr(from, outcome.output.find(end, from) - from);
}

/// Six patients of three slices, numbered through, so that their ids say nothing of patients and
/// id/20 takes all for one.
class NumericIds {
 public:
  NumericIds() {
    std::vector<std::uint16_t> mask(16 * 16, 0), image(16 * 16 * 3);
    std::fill(mask.begin() + 40, mask.begin() + 80, std::uint16_t{255});
    for (std::size_t i = 0; i < 18; ++i) {
      const fs::path folder = folder_.path() / "pictures" / std::string(1, "ABCDEF"[i / 3]);
      fs::create_directories(folder);
      for (std::size_t k = 0; k < image.size(); ++k)
        image[k] = static_cast<std::uint16_t>((k * 7 + i * 13) % 256);
      const std::string name = std::to_string(i + 1);
      write_bytes(folder / (name + ".png"),
                  png_file({.height = 16, .width = 16, .channels = 3}, image));
      write_bytes(folder / (name + "_mask.png"), png_file({.height = 16, .width = 16}, mask));
    }
    done({"import", "--data", path("pictures"), "--out", path("slices")});
  }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string table() const { return "csv:" + path("slices/manifest.csv"); }
  void split(const std::string& out, const Words& more = {}) const {
    Words words = {"split", "--data", path("slices"), "--out", path(out), "--val", "0.5"};
    words.insert(words.end(), more.begin(), more.end());
    done(words);
  }
  void train(const Words& lists, const std::string& out = "run") const {
    Words words = {"train",    "--data",    path("slices"),
                   "--out",    path(out),   "--base-width",
                   "4",        "--depth",   "1",
                   "--epochs", "1",         "--batch-size",
                   "4",        "--threads", "1"};
    words.insert(words.end(), lists.begin(), lists.end());
    done(words);
  }
  Words evaluate(const Words& more) const {
    Words words = {"evaluate", "--checkpoint", path("run/best.safetensors"),
                   "--data",   path("slices"), "--threads",
                   "1",        "--bootstrap",  "100"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

 private:
  TempFolder folder_;
};

/// Its first half trained on and the other validated on, by lists that are no split.
void train_by_lists(const NumericIds& w) {
  fs::create_directories(w.path("lists"));
  write_bytes(w.path("lists/a.txt"), "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  write_bytes(w.path("lists/b.txt"), "10\n11\n12\n13\n14\n15\n16\n17\n18\n");
  w.train({"--train-list", w.path("lists/a.txt"), "--val-list", w.path("lists/b.txt")});
}

}  // namespace

TEST_CASE("patients: an evaluation goes by the split's rule, unasked", "[cli][patients]") {
  const NumericIds w;
  w.split("split", {"--group-by", w.table()});
  w.train({"--split", w.path("split")});
  const Outcome val =
      done(w.evaluate({"--list", w.path("split/val.txt"), "--json", w.path("e.json")}));
  CHECK(rest_of(val, "patients: ") ==
        "3, by " + w.table() + " (the split in " + w.path("split") + ")");
  CHECK_FALSE(contains(val, "trained on slices of"));
  const auto json = nlohmann::json::parse(read_file(w.path("e.json")));
  CHECK(json["number_of"]["patients"] == 3);
  CHECK(json["number_of"]["slices_of_unknown_patient"] == 0);
  CHECK(json["group_by"] == w.table());
  CHECK(json["provenance"]["data"]["patients_by"] == w.table());

  // All slices: those of the run's split, and patients that were trained on are said to be.
  const Outcome all = done(w.evaluate({}));
  CHECK(rest_of(all, "patients: ") == "6, by " + w.table() + " (the run's split)");
  CHECK(contains(all, "trained on slices of 3 of these 6 patients"));

  // What is asked for wins.
  const Outcome asked = done(w.evaluate({"--group-by", "id/6"}));
  CHECK(rest_of(asked, "patients: ") == "4, by id/6 (--group-by)");
  const Outcome none = done(w.evaluate({"--group-by", "none"}));
  CHECK(rest_of(none, "patients: ") == "unknown (--group-by none)");
}

TEST_CASE("patients: a table that is gone is named, and the advice works", "[cli][patients]") {
  const NumericIds w;
  write_bytes(w.path("mine.csv"), read_file(w.path("slices/manifest.csv")));
  w.split("split", {"--group-by", "csv:" + w.path("mine.csv")});
  w.train({"--split", w.path("split")});
  fs::rename(w.path("mine.csv"), w.path("moved.csv"));
  const Words evaluate = w.evaluate({"--list", w.path("split/val.txt")});
  const auto follow = [&](const std::string& rule) {
    Words words = evaluate;
    words.insert(words.end(), {"--group-by", rule});
    return rest_of(done(words), "patients: ", ", by");
  };

  Outcome gone = run_glia(evaluate);
  CHECK(gone.code == 1);
  CHECK(contains(gone, w.path("mine.csv") + ": is not there, and by it the split in"));
  CHECK(follow(rest_of(gone, "pass --group-by ", " (the table beside the slices)")) == "3");
  for (const Words& words :
       {Words{"check-data", "--data", w.path("slices"), "--split", w.path("split")},
        Words{"sweep", "--data", w.path("slices"), "--split", w.path("split"), "--out",
              w.path("study"), "--dry-run"},
        Words{"model-card", "--checkpoint", w.path("run/best.safetensors"), "--data",
              w.path("slices"), "--out", w.path("card.md")}}) {
    const Outcome refused = run_glia(words);
    CAPTURE(words, refused.output);
    CHECK(refused.code == 1);
    CHECK(contains(refused, w.path("mine.csv") + ": is not there"));
    Words mended = words;
    mended.insert(mended.end(), {"--group-by", w.table()});
    done(mended);
  }

  fs::remove(w.path("slices/manifest.csv"));
  gone = run_glia(evaluate);
  CHECK(gone.code == 1);
  CHECK(contains(gone, "pass --group-by csv:FILE with where it is now, or --group-by none"));
  CHECK(follow("csv:" + w.path("moved.csv")) == "3");
  CHECK(follow("none").starts_with("unknown"));
}

TEST_CASE("patients: without a split the table beside the slices says it, else nobody",
          "[cli][patients]") {
  const NumericIds w;
  train_by_lists(w);
  const Words evaluate = w.evaluate({"--list", w.path("lists/b.txt"), "--json", w.path("e.json"),
                                     "--out", w.path("evaluation"), "--overwrite"});
  const Outcome beside = done(evaluate);
  CHECK(rest_of(beside, "patients: ") == "3, by " + w.table() + " (the table beside the slices)");
  CHECK_FALSE(contains(beside, "trained on slices of"));

  fs::remove(w.path("slices/manifest.csv"));
  const Outcome nobody = done(evaluate);
  CHECK(contains(nobody, "patients: unknown: neither a split nor a readable manifest.csv"));
  CHECK(contains(nobody, "pass --group-by id/N, regex:EXPRESSION or csv:FILE"));
  CHECK(contains(nobody, "9  of unknown patients"));
  CHECK_FALSE(contains(nobody, "trained on slices of"));
  const auto json = nlohmann::json::parse(read_file(w.path("e.json")));
  CHECK(json["number_of"]["patients"] == 0);
  CHECK(json["group_by"] == "none");
  CHECK(read_file(w.path("evaluation/patients.csv")).find('\n') + 1 ==
        read_file(w.path("evaluation/patients.csv")).size());
  Words mended = evaluate;
  mended.insert(mended.end(), {"--group-by", "regex:^(1)[0-9]$"});
  CHECK(rest_of(done(mended), "patients: ", ",") == "1");
}

TEST_CASE("patients: a rule of other data is doubted where a table says something else",
          "[cli][patients]") {
  const NumericIds w;
  w.split("split", {"--group-by", "id/10"});
  w.train({"--split", w.path("split")});
  const Outcome doubted = done(w.evaluate({"--out", w.path("evaluation"), "--overwrite"}));
  CHECK(rest_of(doubted, "patients: ") == "2, by id/10 (the run's split)");
  CHECK(contains(doubted, "manifest.csv knows 6 patients, not 2"));
  CHECK(read_file(w.path("evaluation/report.html")).find("knows 6 patients, not 2") !=
        std::string::npos);
  const Outcome followed = done(w.evaluate({"--group-by", rest_of(doubted, "pass --group-by ")}));
  CHECK(rest_of(followed, "patients: ", ",") == "6");

  // A rule that says nothing about these slices gives way, and that is said.
  fs::create_directories(w.path("other"));
  for (const char* name : {"1_img.npy", "1_seg.npy", "2_img.npy", "2_seg.npy"})
    fs::copy_file(w.path("slices/") + name, w.path("other/x") + name);
  write_bytes(w.path("other/manifest.csv"), "id,group\nx1,a\nx2,b\n");
  const Outcome other = done({"evaluate", "--checkpoint", w.path("run/best.safetensors"), "--data",
                              w.path("other"), "--bootstrap", "100"});
  CHECK(rest_of(other, "patients: ", ",") == "2");
  CHECK(
      contains(other, "warning: the run's split: id/10 says nothing about 2 of 2 slices: x1, x2"));
}

TEST_CASE("patients: split takes the table beside the slices unless told otherwise",
          "[cli][patients]") {
  const NumericIds w;
  w.split("split");
  const auto manifest = nlohmann::json::parse(read_file(w.path("split/manifest.json")));
  CHECK(manifest["group_by"] == w.table());
  CHECK(manifest["parts"]["val"]["groups"] == 3);
  fs::remove(w.path("slices/manifest.csv"));
  const Outcome plain = run_glia({"split", "--data", w.path("slices"), "--out", w.path("other")});
  CHECK(plain.code == 1);
  CHECK(contains(plain, "--group-by id/20 finds 1 groups (patients) for 2 parts"));
}

TEST_CASE("patients: the lists of a split, named one by one, are that split", "[cli][patients]") {
  const NumericIds w;
  w.split("split", {"--group-by", "none"});
  const Words lists = {"--train-list", w.path("split/train.txt"), "--val-list",
                       w.path("split/val.txt")};
  w.train(lists);
  CHECK(contains(done(w.evaluate({})), "the model was trained on a split by slice"));
  // By slice is no rule for patients: the table's is taken.
  CHECK(rest_of(done(w.evaluate({})), "patients: ") ==
        "6, by " + w.table() + " (the table beside the slices)");

  write_bytes(w.path("split/train.txt"), "1\n2\n4\n5\n");
  write_bytes(w.path("split/val.txt"), "7\n8\n");
  w.train(lists, "other");
  const Words changed = {"model-card", "--checkpoint", w.path("other/best.safetensors"), "--out",
                         w.path("card.md")};
  done(changed);
  CHECK(read_file(w.path("card.md")).find("| a patient is | not recorded |") != std::string::npos);
}

TEST_CASE("patients: sweep, model card and check-data say which rule they took",
          "[cli][patients]") {
  const NumericIds w;
  w.split("split", {"--group-by", w.table()});
  w.train({"--split", w.path("split")});
  const std::string of_split = w.table() + " (the split in " + w.path("split") + ")";

  const Outcome checked = done({"check-data", "--data", w.path("slices"), "--split",
                                w.path("split"), "--json", w.path("check.json")});
  const auto unwrapped = [](const Outcome& outcome) {
    static const std::regex line_ends("\n {16}(?! )");
    return Outcome{outcome.code, std::regex_replace(outcome.output, line_ends, " ")};
  };
  CHECK(contains(unwrapped(checked), "patients        6, by " + of_split));
  CHECK(nlohmann::json::parse(read_file(w.path("check.json")))["patients"] == 6);
  const Outcome beside = done({"check-data", "--data", w.path("slices")});
  CHECK(contains(unwrapped(beside), "6, by " + w.table() + " (the table beside the slices)"));
  CHECK(contains(run_glia({"check-data", "--data", w.path("slices"), "--split", w.path("run")}),
                 "found no manifest.json of glia split"));

  const Words sweep = {"sweep",         "--data",    w.path("slices"), "--out",
                       w.path("study"), "--dry-run", "--batch-size",   "2"};
  Words by_split = sweep, by_lists = sweep;
  by_split.insert(by_split.end(), {"--split", w.path("split")});
  CHECK(contains(done(by_split), "patients: 6, by " + of_split));
  write_bytes(w.path("a.txt"), "1\n2\n4\n");
  write_bytes(w.path("b.txt"), "3\n5\n7\n");
  by_lists.insert(by_lists.end(), {"--train-list", w.path("a.txt"), "--val-list", w.path("b.txt")});
  const Outcome mixed = done(by_lists);
  CHECK(contains(mixed, "patients: 3, by " + w.table() + " (the table beside the slices)"));
  CHECK(contains(mixed, "warning: 2 patients have slices on both sides"));

  const Words card = {"model-card", "--checkpoint", w.path("run/best.safetensors"), "--out",
                      w.path("card.md")};
  Words with_data = card;
  with_data.insert(with_data.end(), {"--data", w.path("slices")});
  CHECK(contains(done(with_data), "patients: 6, by " + w.table() + " (the run's split)"));
  CHECK(read_file(w.path("card.md")).find("| patients of the slices | 6, by csv:") !=
        std::string::npos);
  Words alone = card;
  alone.insert(alone.end(), {"--group-by", "none"});
  CHECK(contains(run_glia(alone), "add --data FOLDER"));
}
