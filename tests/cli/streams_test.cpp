// What is printed is written, or the exit status says that it is not; a closed stream does no harm.
#include <signal.h>

#include <filesystem>

#include "engine/base/file.h"
#include "tests/cli/workspace.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;

/// A line of shell that runs `glia` with `arguments`.
std::string shell(const std::vector<std::string>& arguments) {
  std::string line = "\"$GLIA\"";
  for (const std::string& word : arguments) line += " '" + word + "'";
  return line;
}

}  // namespace

TEST_CASE("program: output that cannot be written ends with status 1, in every command", "[cli]") {
  const CliWorkspace w(16);
  REQUIRE(run_glia(w.train("run", 1)).code == 0);
  const std::string best = w.path("run/best.safetensors");
  REQUIRE(run_glia({"export-weights", "--checkpoint", best, "--out", w.path("w.st")}).code == 0);
  const std::vector<std::vector<std::string>> commands = {
      {"--help"},
      {"--version"},
      {"train", "--help"},
      {"doctor", "--json"},
      {"plan", "--batch", "1", "--size", "32", "--base-width", "4"},
      {"phantom", "--out", w.path("p"), "--patients", "1", "--slices", "1", "--size", "16"},
      {"check-data", "--data", w.path("slices")},
      {"split", "--data", w.path("slices"), "--out", w.path("s")},
      w.train("full", 1),
      {"train", "--resume", w.path("run")},
      {"sweep", "--data", w.path("slices"), "--split", w.path("split"), "--out", w.path("study"),
       "--epochs", "1", "--batch-size", "2", "--base-width", "4", "--depth", "2"},
      {"evaluate", "--checkpoint", best, "--data", w.path("slices")},
      {"predict", "--checkpoint", best, "--input", w.path("slices/0_img.npy"), "--out",
       w.path("pictures")},
      {"explain", "--checkpoint", best, "--input", w.path("slices/0_img.npy"), "--out",
       w.path("why"), "--methods", "saliency"},
      {"export", "--checkpoint", best, "--onnx", w.path("net.onnx")},
      {"export-weights", "--checkpoint", best, "--out", w.path("weights")},
      {"import-weights", "--weights", w.path("w.st"), "--out", w.path("imported")},
      {"model-card", "--checkpoint", best, "--out", w.path("card")}};
  for (const auto& command : commands) {
    const Outcome outcome = run_shell(shell(command) + " > /dev/full");
    CAPTURE(command.front(), outcome.output);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome, "glia: standard output: cannot write"));
  }
  // What cannot be said is no reason to lose what was done.
  CHECK(fs::exists(w.path("full/best.safetensors")));
  CHECK(fs::exists(w.path("study/report.html")));
  CHECK(fs::exists(w.path("card")));
  CHECK(run_shell(shell(w.train("stderr", 1)) + " > /dev/null 2> /dev/full").code == 1);
  CHECK(fs::exists(w.path("stderr/best.safetensors")));
}

TEST_CASE("program: closed streams do no harm", "[cli]") {
  const CliWorkspace w(16);
  for (const char* closed : {"2>&-", ">&-", "<&-", "<&- >&- 2>&-"}) {
    const std::string run = "run" + std::to_string(closed[0]) + std::to_string(closed[3]);
    CAPTURE(closed);
    CHECK(run_shell(shell(w.train(run, 1)) + " " + closed).code == 0);
    const std::string log = read_file(w.path(run + "/log.txt"));
    CHECK_THAT(log, ContainsSubstring("epoch 1/1"));
    CHECK_THAT(log, !ContainsSubstring("device: c"));
    CHECK(run_glia({"evaluate", "--checkpoint", w.path(run + "/best.safetensors"), "--data",
                    w.path("slices")})
              .code == 0);
    CHECK(run_shell(shell({"train", "--epochs", "0"}) + " " + closed).code != 0);
  }
}

TEST_CASE("program: numbers that no flag can mean are refused at the flag", "[cli]") {
  const CliWorkspace w(16);
  const auto refuses = [&](std::vector<std::string> arguments, const std::string& text) {
    const Outcome outcome = run_glia(arguments);
    CAPTURE(arguments.back(), outcome.output);
    CHECK(outcome.code == 2);
    CHECK(contains(outcome, text));
  };
  const std::vector<std::string> train = {"train",         "--data", w.path("slices"), "--split",
                                          w.path("split"), "--out",  w.path("run")};
  const auto with = [&](const std::string& flag, const std::string& value) {
    auto words = train;
    words.insert(words.end(), {flag, value});
    return words;
  };
  for (const char* flag : {"--learning-rate", "--weight-decay", "--momentum", "--smooth",
                           "--dropout", "--schedule-factor", "--schedule-minimum"})
    for (const char* value : {"nan", "inf", "-inf", "1e999"})
      refuses(with(flag, value),
              std::string(flag) + ": found " + value + ", expected a finite number");
  refuses(with("--seed", "-1"), "--seed: found -1, expected 0 or more");
  refuses(with("--seed", "18446744073709551616"), "expected at most 18446744073709551615");
  refuses(with("--epochs", "99999999999999999999"), "--epochs: found 99999999999999999999");
  for (const char* command : {"split", "phantom", "explain", "evaluate"})
    refuses({command, command == std::string("evaluate") ? "--bootstrap-seed" : "--seed", "-1"},
            "expected 0 or more");
  refuses({"evaluate", "--pixel-size", "1,nan"}, "--pixel-size: found nan");
  refuses({"sweep", "--data", w.path("slices"), "--split", w.path("split"), "--out",
           w.path("study"), "--weight-decay", "nan"},
          "--weight-decay: found nan");
  CHECK_FALSE(fs::exists(w.path("run")));
  CHECK_FALSE(fs::exists(w.path("study")));
}
