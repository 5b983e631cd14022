// Lists, tables and pairs of files in which something stands twice or is missing: done as the
// message says, the same command passes.
#include <filesystem>
#include <fstream>

#include "engine/base/file.h"
#include "tests/cli/advice.h"

using namespace glia;
using namespace glia::advice;

namespace {

namespace fs = std::filesystem;

Words split_words(const CliWorkspace& w, const Words& more) {
  return with({"split", "--data", w.path("slices"), "--out", w.path("split"), "--overwrite"}, more);
}

/// Every slice of the workspace in the table's lines, after `header`.
std::string table(const CliWorkspace& w, const std::string& header, const std::string& rest) {
  std::string text = header + "\n";
  for (const auto& entry : fs::directory_iterator(w.path("slices"))) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with("_img.npy")) text += name.substr(0, name.find('_')) + "," + rest + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("advice: slices whose files do not pair up", "[cli][advice]") {
  const CliWorkspace w;
  const Words split = split_words(w, {});
  const fs::path image = w.path("slices/0_img.npy"), mask = w.path("slices/0_seg.npy");
  fs::create_directories(w.path("slices/more"));
  fs::copy_file(image, w.path("slices/more/0_img.npy"));
  refused(split, "ids must differ across subfolders: rename or remove one");
  fs::rename(w.path("slices/more/0_img.npy"), w.path("slices/more/77_img.npy"));
  refused(split, "without its mask 77_seg.npy; add the mask (all zeros for no tumour) or remove");
  const NpyArray old = read_npy(mask);
  const std::vector<std::uint8_t> zeros(old.values.size());
  write_npy<std::uint8_t>(w.path("slices/more/77_seg.npy"), old.info.shape, zeros);
  works(with(split, {"--group-by", "none"}));
  fs::remove(w.path("slices/more/77_img.npy"));
  refused(split, "77_seg.npy: a mask without its image 77_img.npy; add the image or remove");
  const Outcome checked = run_glia({"check-data", "--data", w.path("slices")});
  CAPTURE(checked.output);
  CHECK(checked.code == 1);
  CHECK(contains(checked, "1 problems, listed above; mend them and check again"));
  fs::remove(w.path("slices/more/77_seg.npy"));
  works(split);
  works({"check-data", "--data", w.path("slices")});
}

TEST_CASE("advice: identical slices of one patient are told by --group-by", "[cli][advice]") {
  const CliWorkspace w;
  const Words check = {"check-data", "--data", w.path("slices")};
  const std::string advice =
      "remove one of them, or say by --group-by that both are of one patient";
  const auto copy = [&](const char* kind) {
    fs::copy_file(w.path("slices/0" + std::string(kind)), w.path("slices/1" + std::string(kind)),
                  fs::copy_options::overwrite_existing);
  };
  const std::string image = read_file(w.path("slices/1_img.npy"));
  fs::remove(w.path("slices/manifest.csv"));
  works(check);
  copy("_img.npy");
  const Outcome other_mask = run_glia(check);
  CAPTURE(other_mask.output);
  CHECK(other_mask.code == 1);
  CHECK(contains(other_mask, "but the mask is another file or missing; remove one of them"));
  CHECK_FALSE(contains(other_mask, "say by --group-by"));
  copy("_seg.npy");
  refused(check, advice);
  works(with(check, {"--group-by", "id/20"}));
  refused(with(check, {"--group-by", "regex:^(.*)$"}), "remove one of them");
  for (const char* kind : {"_img.npy", "_seg.npy"})
    fs::remove(w.path("slices/1" + std::string(kind)));
  works(check);
}

TEST_CASE("advice: rules of patients that find too few, or contradict themselves",
          "[cli][advice]") {
  const CliWorkspace w;
  const auto by = [&](const std::string& rule, const Words& more = {}) {
    return with(split_words(w, {"--group-by", rule}), more);
  };
  refused(by("regex:^(1)"), "choose a rule that finds the patient of every slice (id/N, regex:");
  for (const char* rule : {"id/5", "regex:^([0-9]*)[0-9]$", "none"})
    works(by(rule, {"--test", "0"}));
  refused(by("id/40", {"--test", "0.2"}),
          "finds 2 groups (patients) for 3 parts; every part needs one: add");
  works(by("id/40", {"--test", "0"}));
  refused(by("id/5", {"--val", "0.7", "--test", "0.4"}), "for example --val 0.2 --test 0.1");
  works(by("id/5", {"--val", "0.2", "--test", "0.1"}));

  const std::string once = table(w, "id,group", "a");
  const std::string csv = "csv:" + w.path("groups.csv");
  write_file_atomically(w.path("groups.csv"), once + "0,b\n");
  refused(by(csv, {"--val", "0", "--test", "0"}), "is in the groups a and b; keep one line");
  write_file_atomically(w.path("groups.csv"), once);
  works(by(csv, {"--val", "0", "--test", "0"}));
}

TEST_CASE("advice: a list with an id twice, and tables of pixel sizes", "[cli][advice]") {
  const Network w;
  const std::string whole = read_file(w.path("split/val.txt"));
  const auto evaluate = [&](const Words& more) {
    return with({"evaluate", "--checkpoint", w.path("run/best.safetensors"), "--data",
                 w.path("slices"), "--list", w.path("list.txt"), "--group-by", "id/5"},
                more);
  };
  write_file_atomically(w.path("list.txt"), whole + whole.substr(0, whole.find('\n') + 1));
  refused(evaluate({}), "remove the repeated lines");
  write_file_atomically(w.path("list.txt"), whole + "nobody\n");
  refused(evaluate({}), "pass the data folder that the list was made from");
  write_file_atomically(w.path("list.txt"), whole);
  works(evaluate({}));

  const std::string manifest = w.path("slices/manifest.csv");
  const std::string good = table(w, "id,row_mm,column_mm", "0.9,0.9");
  const std::string id = whole.substr(0, whole.find('\n'));
  const auto in_pixels = [&](const Words& more) {
    const Outcome outcome = run_glia(evaluate(more));
    CAPTURE(outcome.output);
    CHECK(outcome.code == 0);
    return contains(outcome, "HD95 is in pixels");
  };
  const std::string half = "id,row_mm,column_mm\n" + id + ",0.9,0.9\n";
  for (const std::string& bad : {good + id + ",1,1\n", good + id + ",x,1\n", half}) {
    CAPTURE(bad);
    write_file_atomically(manifest, bad);
    CHECK(contains(run_glia(evaluate({})), "pass --pixel-size ROW,COLUMN"));
    CHECK(in_pixels({}));
    CHECK_FALSE(in_pixels({"--pixel-size", "0.9,0.9"}));
  }
  write_file_atomically(manifest, good);
  CHECK_FALSE(in_pixels({}));
}

TEST_CASE("advice: a trial whose record is damaged is trained anew", "[cli][advice][sweep]") {
  const CliWorkspace w;
  const auto sweep = [&](const std::string& batches) {
    return with(w.sweep(), {"--depth", "1", "--threads", "1", "--batch-size", batches});
  };
  refused(sweep("4,4"), "found 4 twice in '4,4'; name each value once");
  works(sweep("4"));
  fs::path trial;
  for (const auto& entry : fs::directory_iterator(w.path("study/trials"))) trial = entry.path();
  write_file_atomically(trial / "trial.json", "{");
  refused(sweep("4"), "trial.json: is damaged; remove " + trial.string() + " to train this");
  fs::remove_all(trial);
  works(sweep("4"));
  write_file_atomically(trial / "run/metrics.jsonl", "{");
  refused(sweep("4"), "; remove " + trial.string() + " to train this trial anew");
  fs::remove_all(trial);
  works(sweep("4"));
  fs::remove(trial / "run/last.safetensors");
  Words longer = sweep("4");
  *(std::find(longer.begin(), longer.end(), "--epochs") + 1) = "2";
  const Outcome outcome = run_glia(longer);
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, "; remove " + trial.string() + " to train this trial anew"));
  fs::remove_all(trial);
  works(longer);
}
