// Stopping and resuming leaves no trace: weights, optimizer state and metrics are the same bits.
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "engine/base/file.h"
#include "engine/formats/safetensors.h"
#include "tests/cli/workspace.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;

/// metrics.csv without the two columns of seconds at the end of each line.
std::string metrics_without_times(const std::string& run) {
  std::istringstream in(read_file(run + "/metrics.csv"));
  std::string kept;
  for (std::string line; std::getline(in, line);) {
    for (int column = 0; column < 2; ++column) line.resize(line.rfind(','));
    kept += line + "\n";
  }
  return kept;
}

void check_same_run(const std::string& a, const std::string& b) {
  for (const char* name : {"/last.safetensors", "/best.safetensors"}) {
    const SafeTensors x = read_safetensors(a + name), y = read_safetensors(b + name);
    REQUIRE(x.entries.size() == y.entries.size());
    for (const auto& entry : x.entries) {
      const auto other = y.find(entry.name, entry.shape, b);
      CAPTURE(name, entry.name);
      CHECK(std::equal(entry.values.begin(), entry.values.end(), other.begin(), other.end()));
    }
  }
  CHECK(metrics_without_times(a) == metrics_without_times(b));
}

/// True once the run has a checkpoint newer than `count` changes of its file.
std::function<bool()> after_checkpoints(const std::string& run, int count) {
  return [file = fs::path(run) / "last.safetensors", last = fs::file_time_type{},
          left = count]() mutable {
    std::error_code error;
    const auto time = fs::last_write_time(file, error);
    if (error || time == last) return false;
    last = time;
    return --left <= 0;
  };
}

}  // namespace

TEST_CASE("resume: kill -9 again and again, then the same bits as never stopped", "[cli]") {
  const CliWorkspace w;
  REQUIRE(run_glia(w.train("whole")).code == 0);
  Outcome outcome = signal_glia(w.train("killed"), SIGKILL, after_checkpoints(w.path("killed"), 2));
  REQUIRE(outcome.code == 128 + SIGKILL);
  for (int kills = 0; kills < 2; ++kills) {
    outcome = signal_glia({"train", "--resume", w.path("killed"), "--threads", "1"}, SIGKILL,
                          after_checkpoints(w.path("killed"), 3));
    CAPTURE(outcome.output);
    REQUIRE(outcome.code == 128 + SIGKILL);
  }
  outcome = run_glia({"train", "--resume", w.path("killed"), "--threads", "1"});
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  check_same_run(w.path("whole"), w.path("killed"));
}

TEST_CASE("resume: Ctrl-C and the like leave a checkpoint, say how to go on, and exit with 130",
          "[cli]") {
  const CliWorkspace w;
  REQUIRE(run_glia(w.train("whole")).code == 0);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const std::string run = "stopped" + std::to_string(signal);
    const Outcome outcome = signal_glia(w.train(run), signal, after_checkpoints(w.path(run), 3));
    CAPTURE(signal, outcome.output);
    CHECK(outcome.code == 130);
    CHECK(contains(outcome, "glia train --resume " + w.path(run)));
    REQUIRE(run_glia({"train", "--resume", w.path(run), "--threads", "1"}).code == 0);
    check_same_run(w.path("whole"), w.path(run));
  }
}

TEST_CASE("resume: more epochs may be added to a finished run", "[cli]") {
  const CliWorkspace w;
  REQUIRE(run_glia(w.train("long", 3)).code == 0);
  REQUIRE(run_glia(w.train("short", 2)).code == 0);
  REQUIRE(
      run_glia({"train", "--resume", w.path("short"), "--epochs", "3", "--threads", "1"}).code ==
      0);
  check_same_run(w.path("long"), w.path("short"));
}

TEST_CASE("resume: a run that ends after a number of steps ends there, stopped or not", "[cli]") {
  const CliWorkspace w;
  // Cosine, so that the end of the run shows in every step; seven or eight steps an epoch.
  const auto train = [&](const std::string& out) {
    auto words = w.train(out, 9);
    for (const char* word : {"--max-steps", "11", "--schedule", "cosine"}) words.emplace_back(word);
    return words;
  };
  REQUIRE(run_glia(train("whole")).code == 0);
  const std::string metrics = read_file(w.path("whole/metrics.csv"));
  CHECK(std::count(metrics.begin(), metrics.end(), '\n') == 1 + 2);
  CHECK(metrics.find("\n2,11,22,") != std::string::npos);  // epoch, steps, images
  // Stopped in the first epoch, in the second, and after its last step.
  for (const int checkpoints : {2, 9, 11}) {
    const std::string name = "stopped" + std::to_string(checkpoints);
    signal_glia(train(name), SIGKILL, after_checkpoints(w.path(name), checkpoints));
    REQUIRE(run_glia({"train", "--resume", w.path(name), "--threads", "1"}).code == 0);
    check_same_run(w.path("whole"), w.path(name));
  }
  // There is nothing left to do.
  REQUIRE(run_glia({"train", "--resume", w.path("whole"), "--threads", "1"}).code == 0);
  check_same_run(w.path("whole"), w.path("stopped2"));
}

TEST_CASE("resume: settings other than epochs and threads cannot be changed", "[cli]") {
  const CliWorkspace w;
  REQUIRE(run_glia(w.train("run", 1)).code == 0);
  const Outcome outcome = run_glia({"train", "--resume", w.path("run"), "--batch-size", "3"});
  CHECK(outcome.code == 1);
  CHECK(outcome.output.find("--batch-size cannot be changed when resuming") != std::string::npos);
}

TEST_CASE("resume: the way to convolve is recorded and kept", "[cli]") {
  const CliWorkspace w;
  const auto train = [&](const std::string& out, int epochs, const std::string& conv) {
    auto arguments = w.train(out, epochs);
    arguments.insert(arguments.end(), {"--device", "cpu", "--conv", conv});
    return run_glia(arguments);
  };
  const Outcome outcome = train("whole", 2, "winograd");
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK(contains(outcome, "conv: Winograd's algorithm for windows of 3x3 with stride 1"));
  CHECK(read_file(w.path("whole") + "/config.json").find("\"conv\": \"winograd\"") !=
        std::string::npos);
  REQUIRE(train("resumed", 1, "winograd").code == 0);
  REQUIRE(
      run_glia({"train", "--resume", w.path("resumed"), "--epochs", "2", "--threads", "2"}).code ==
      0);
  check_same_run(w.path("whole"), w.path("resumed"));

  REQUIRE(train("direct", 2, "direct").code == 0);
  const SafeTensors a = read_safetensors(w.path("whole") + "/last.safetensors"),
                    b = read_safetensors(w.path("direct") + "/last.safetensors");
  const auto& x = a.entries.front().values;
  const auto& y = b.entries.front().values;
  CHECK_FALSE(std::equal(x.begin(), x.end(), y.begin(), y.end()));

  const Outcome changed =
      run_glia({"train", "--resume", w.path("direct"), "--epochs", "3", "--conv", "winograd"});
  CHECK(changed.code == 1);
  CHECK(contains(changed, "--conv cannot be changed when resuming"));
  CHECK(train("other", 1, "fft").code == 2);
}

TEST_CASE("a full disk ends the run with one message and keeps the last checkpoint", "[cli]") {
  const CliWorkspace w;
  REQUIRE(run_glia(w.train("run", 1)).code == 0);
  const std::string last = w.path("run") + "/last.safetensors";
  const std::string before = read_file(last);
  // A limit of 50 KiB a file stands for the full disk: the checkpoint fails half way through.
  const Outcome outcome = run_shell("trap '' XFSZ; ulimit -f 100; exec \"$GLIA\" train --resume " +
                                    w.path("run") + " --epochs 2 --threads 1");
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(outcome.output.find("last.safetensors: cannot write: File too large") != std::string::npos);
  CHECK(read_file(last) == before);
  for (const auto& file : fs::directory_iterator(w.path("run")))
    CHECK(file.path().string().find(".part") == std::string::npos);
  CHECK(run_glia({"train", "--resume", w.path("run"), "--epochs", "2", "--threads", "1"}).code ==
        0);
}
