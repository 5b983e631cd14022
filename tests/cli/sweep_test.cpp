// glia sweep as a user runs it: what is trained, skipped, resumed, recorded and written.
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "tests/cli/workspace.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Words = std::vector<std::string>;

Words sweep_words(const CliWorkspace& w, const Words& more) {
  Words words = {
      "sweep",   "--data", w.path("slices"), "--split", w.path("split"), "--out", w.path("study"),
      "--depth", "2",      "--threads",      "1",       "--base-width",  "4"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Json study_of(const CliWorkspace& w) {
  return Json::parse(read_file(w.path("study/study.json")));
}

int newlines_in(const std::string& text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

/// What changes when a trial is trained again: its run's checkpoint.
fs::file_time_type trained_at(const CliWorkspace& w, const Json& trial) {
  return fs::last_write_time(fs::path(w.path("study")) / trial["folder"].get<std::string>() /
                             "run/last.safetensors");
}

}  // namespace

TEST_CASE("sweep: trials, their files, and a rerun that trains nothing twice", "[cli][sweep]") {
  const CliWorkspace w;
  const Words two = sweep_words(w, {"--batch-size", "2,4", "--epochs", "2", "--seeds", "2"});
  auto dry = two;
  dry.emplace_back("--dry-run");
  Outcome outcome = run_glia(dry);
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK(contains(outcome, "4 trials: 0 finished, 4 to train"));
  CHECK_FALSE(fs::exists(w.path("study")));

  outcome = run_glia(two);
  REQUIRE(outcome.code == 0);
  const Json study = study_of(w);
  REQUIRE(study["trials"].size() == 4);
  // Both settings with seed 0 come first.
  CHECK(study["trials"][0]["settings"]["batch-size"] == "2");
  CHECK(study["trials"][1]["settings"]["batch-size"] == "4");
  CHECK(study["trials"][1]["seed"] == 0);
  CHECK(study["trials"][2]["seed"] == 1);
  for (const Json& trial : study["trials"]) {
    CHECK(trial["state"] == "finished");
    CHECK(trial["epochs"].size() == 2);
  }
  CHECK(newlines_in(read_file(w.path("study/trials.csv"))) == 1 + 4 * 2);
  CHECK(newlines_in(outcome.output) == 2 + 4 + 1);  // one line a trial in a log
  REQUIRE(study["means"].size() == 2 * 2);
  CHECK(study["means"][0]["val_loss"]["n"] == 2);

  // One more value, one less, and more epochs: what is there goes on where it stopped.
  const auto before = trained_at(w, study["trials"][0]);
  outcome = run_glia(sweep_words(w, {"--batch-size", "2,3", "--epochs", "1", "--seeds", "2"}));
  CHECK(outcome.code == 0);
  CHECK(contains(outcome, "4 trials: 2 finished, 2 to train"));
  CHECK(contains(outcome, "2 finished trials"));
  CHECK(trained_at(w, study["trials"][0]) == before);
  outcome = run_glia(sweep_words(w, {"--batch-size", "2", "--epochs", "1,3"}));
  CHECK(outcome.code == 0);
  CHECK(trained_at(w, study["trials"][0]) != before);
  const Json longer = study_of(w);
  REQUIRE(longer["trials"].size() == 1);
  REQUIRE(longer["trials"][0]["epochs"].size() == 3);
  // The first two epochs are the ones from before.
  for (const char* figure : {"val_loss", "train_loss", "val_batch_iou"})
    CHECK(longer["trials"][0]["epochs"][1][figure] == study["trials"][0]["epochs"][1][figure]);
  outcome = run_glia(two);
  CHECK(outcome.code == 0);
  CHECK(contains(outcome, "4 trials: 4 finished, 0 to train"));
}

TEST_CASE("sweep: a trial that fails is recorded, retried, and stops nothing", "[cli][sweep]") {
  const CliWorkspace w;
  // A rate that makes the weights infinite.
  const Words words = sweep_words(w, {"--batch-size", "2,4", "--learning-rate", "1e38,1e-3",
                                      "--epochs", "2", "--norm", "none", "--loss", "bce"});
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Outcome outcome = run_glia(words);
    CAPTURE(outcome.output);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome, "2 of 4 trials finished"));
    const Json study = study_of(w);
    for (const std::size_t failed : {0, 2}) {
      CHECK(study["trials"][failed]["state"] == "failed");
      CHECK(study["trials"][failed]["failure"].get<std::string>().find(
                "becomes NaN or infinite at step 1 of epoch 1") != std::string::npos);
      CHECK(study["trials"][failed + 1]["state"] == "finished");
    }
    const std::string page = read_file(w.path("study/report.html"));
    CHECK(page.find("becomes NaN or infinite at step 1") != std::string::npos);
    CHECK(page.find("http-equiv") == std::string::npos);
  }
}

TEST_CASE("sweep: what no trial can have is refused by name, and nothing is written",
          "[cli][sweep]") {
  const CliWorkspace w;
  const std::pair<Words, std::string> wrong[] = {
      {{"--norm", "foo"}, "found 'foo', expected"},
      {{"--up", "foo"}, "--up: found 'foo'"},
      {{"--depth", "99"}, "--depth: found 99, expected 1 to 7"},
      {{"--depth", "6"}, "the slices are 32x32, expected multiples of 64"},
      {{"--base-width", "4,9999"}, "--base-width: found 9999, expected 1 to 1024"},
      {{"--smooth", "-1"}, "--smooth: found -1, expected more than 0"},
      {{"--momentum", "2"}, "--momentum: found 2, expected 0 <= m < 1"},
      {{"--dropout", "1"}, "--dropout: found 1, expected 0 <= p < 1"},
      {{"--schedule", "foo"}, "--schedule: found 'foo'"},
      {{"--normalize", "foo"}, "normalization 'foo' is unknown"},
      {{"--batch-size", "4,400"}, "--batch-size: found 400, and the training list has "}};
  for (const auto& [more, text] : wrong) {
    Words words = {"sweep",         "--data", w.path("slices"), "--split",
                   w.path("split"), "--out",  w.path("study")};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = run_glia(words);
    CAPTURE(more, outcome.output);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome, text));
    CHECK_FALSE(fs::exists(w.path("study")));
  }
}

TEST_CASE("sweep: Ctrl-C stops the trial at a checkpoint; the same command goes on",
          "[cli][sweep]") {
  const CliWorkspace w;
  const Words words = sweep_words(
      w, {"--batch-size", "2", "--epochs", "15", "--seeds", "2", "--checkpoint-every", "1"});
  const auto first_checkpoint = [&] {
    if (!fs::exists(w.path("study/trials"))) return false;
    for (const auto& entry : fs::directory_iterator(w.path("study/trials")))
      if (fs::exists(entry.path() / "run/last.safetensors")) return true;
    return false;
  };
  Outcome outcome = signal_glia(words, SIGINT, first_checkpoint);
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 130);
  CHECK(contains(outcome, "the same command goes on"));
  Json study = study_of(w);
  CHECK(study["trials"][0]["state"] == "unfinished");
  CHECK(study["trials"][1]["state"] == "waiting");
  outcome = run_glia(words);
  CHECK(outcome.code == 0);
  study = study_of(w);
  const std::string output = read_file(
      fs::path(w.path("study")) / study["trials"][0]["folder"].get<std::string>() / "output.txt");
  CHECK(output.find("resumed") != std::string::npos);
  // The same figures as without the stop.
  fs::rename(w.path("study"), w.path("stopped"));
  REQUIRE(run_glia(words).code == 0);
  const Json whole = study_of(w);
  CHECK(study["means"] == whole["means"]);
}

TEST_CASE("sweep: trials side by side, where they are told to run, give the same figures",
          "[cli][sweep]") {
  const CliWorkspace w;
  const Words words =
      sweep_words(w, {"--batch-size", "2,4", "--epochs", "1", "--seeds", "2", "--learning-rate",
                      "1e-3,1e38", "--norm", "none", "--loss", "bce"});
  CHECK(run_glia(words).code == 1);  // a rate that makes the weights infinite
  const Json alone = study_of(w);
  fs::rename(w.path("study"), w.path("alone"));
  Words more = words;
  more.insert(more.end(), {"--jobs", "3", "--devices", "cpu,cpu"});
  Outcome outcome = run_glia(more);
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  const Json side = study_of(w);
  CHECK(side["means"] == alone["means"]);
  for (std::size_t i = 0; i < 8; ++i)
    CHECK(side["trials"][i]["state"] == alone["trials"][i]["state"]);
  // A device of each job is looked at before anything is written.
  fs::rename(w.path("study"), w.path("side"));
  Words wrong = words;
  wrong.insert(wrong.end(), {"--devices", "cpu,cuda:7"});
  outcome = run_glia(wrong);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, "--device cuda"));
  CHECK_FALSE(fs::exists(w.path("study")));
  wrong.insert(wrong.end(), {"--device", "cpu"});
  CHECK(contains(run_glia(wrong), "leave one out"));
}

TEST_CASE("sweep: Ctrl-C stops all trials that run, and the same command goes on", "[cli][sweep]") {
  const CliWorkspace w;
  const Words words = sweep_words(w, {"--batch-size", "2", "--epochs", "15", "--seeds", "3",
                                      "--checkpoint-every", "1", "--jobs", "2"});
  const auto both_train = [&] {
    if (!fs::exists(w.path("study/trials"))) return false;
    std::size_t started = 0;
    for (const auto& entry : fs::directory_iterator(w.path("study/trials")))
      if (fs::exists(entry.path() / "run/last.safetensors")) ++started;
    return started == 2;
  };
  Outcome outcome = signal_glia(words, SIGINT, both_train);
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 130);
  const Json study = study_of(w);
  CHECK(study["trials"][0]["state"] == "unfinished");
  CHECK(study["trials"][1]["state"] == "unfinished");
  CHECK(study["trials"][2]["state"] == "waiting");
  outcome = run_glia(words);
  CHECK(outcome.code == 0);
  CHECK(contains(outcome, "3 of 3 trials finished"));
}

TEST_CASE("sweep: the same number of steps for every batch size", "[cli][sweep]") {
  const CliWorkspace w;
  const Outcome outcome =
      run_glia(sweep_words(w, {"--batch-size", "4,2", "--epochs", "1", "--match", "steps"}));
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  const Json study = study_of(w);
  for (const Json& trial : study["trials"])
    CHECK(trial["epochs"].back()["steps"] == study["trials"][0]["epochs"][0]["steps"]);
  CHECK(study["trials"][1]["length"]["max_steps"] > 0);
}

TEST_CASE("sweep: flags of training reach every trial, --nesterov among them", "[cli][sweep]") {
  const CliWorkspace w;
  const Outcome outcome = run_glia(
      sweep_words(w, {"--batch-size", "4,2", "--epochs", "1", "--optimizer", "sgd", "--nesterov"}));
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  for (const Json& trial : study_of(w)["trials"]) {
    const fs::path run = fs::path(w.path("study")) / trial["folder"].get<std::string>() / "run";
    CHECK(Json::parse(read_file(run / "config.json"))["train"]["optimizer"]["nesterov"] == true);
  }
}

TEST_CASE("sweep: what cannot work is refused before anything is written", "[cli][sweep]") {
  const CliWorkspace w;
  const auto refuses = [&](const Words& more, int code, const std::string& text) {
    const Outcome outcome = run_glia(sweep_words(w, more));
    CAPTURE(outcome.output);
    CHECK(outcome.code == code);
    CHECK(contains(outcome, text));
    CHECK_FALSE(fs::exists(w.path("study")));
  };
  refuses({"--batch-size", "4,x"}, 1, "--batch-size: found 'x'");
  refuses({"--batch-size", "4,4"}, 1, "twice");
  refuses({"--batch-size", "5000"}, 2, "5000");
  refuses({"--optimizer", "adam,lion"}, 1, "--optimizer: found 'lion'");
  refuses({"--augment", "none/blur=1"}, 1, "blur");
  refuses({"--norm", "group", "--arch", "resnet"}, 2, "resnet");
  refuses({"--epochs", "1,2", "--schedule", "cosine"}, 1, "expected one number");
  refuses({"--epochs", "1,2", "--match", "images"}, 1, "expected one number");
  refuses({"--seed", "3"}, 2, "--seed");
  refuses({"--device", "cpu", "--precision", "tf32"}, 1, "--precision tf32");
  refuses({"--backend", "cudnn", "--device", "cpu"}, 1, "--backend cudnn runs on a GPU");
  refuses({"--device", "cuda:99"}, 1, "--device cuda");
  Words elsewhere = sweep_words(w, {});
  *(std::find(elsewhere.begin(), elsewhere.end(), "--out") + 1) = w.path("split");
  CHECK(contains(run_glia(elsewhere), "is no study"));
}
