// What a refusal, a kill or a second program leaves in the folder of a run.
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <limits>

#include "engine/base/file.h"
#include "engine/formats/safetensors.h"
#include "tests/cli/workspace.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// `words` with other values of the flags in `changes`.
Words with_flags(Words words, const Words& changes) {
  for (std::size_t i = 0; i < changes.size(); i += 2) {
    const auto at = std::find(words.begin(), words.end(), changes[i]);
    if (at != words.end()) words.erase(at, at + 2);
    words.insert(words.end(), {changes[i], changes[i + 1]});
  }
  return words;
}

}  // namespace

TEST_CASE("train: a refused command leaves nothing behind", "[cli]") {
  const CliWorkspace w;
  const auto refuses = [&](const Words& changes, const std::string& text) {
    const Outcome outcome = run_glia(with_flags(w.train("a/run", 1), changes));
    CAPTURE(changes, outcome.output);
    CHECK(outcome.code != 0);
    CHECK(contains(outcome, text));
    CHECK_FALSE(fs::exists(w.path("a")));
  };
  refuses({"--batch-size", "64"}, "use a batch size of at most");
  refuses({"--epochs", "0"}, "--epochs: found 0, expected 1 to");
  refuses({"--max-steps", "-1"}, "--max-steps: found -1");
  refuses({"--checkpoint-every", "-1"}, "--checkpoint-every: found -1");
  refuses({"--learning-rate", "0"}, "--learning-rate: found 0, expected more than 0");
  refuses({"--weight-decay", "nan"}, "--weight-decay: found nan");
  refuses({"--weight-decay", "-1"}, "--weight-decay: found -1");
  refuses({"--momentum", "1"}, "--momentum: found 1");
  refuses({"--smooth", "0"}, "--smooth: found 0");
  refuses({"--dropout", "1"}, "--dropout: found 1");
  refuses({"--depth", "6"}, "expected multiples of 64 (2^depth)");
  refuses({"--depth", "0"}, "--depth: found 0");
  refuses({"--base-width", "0"}, "--base-width: found 0");
  refuses({"--schedule-factor", "2"}, "--schedule-factor: found 2");
  refuses({"--schedule-every", "0"}, "--schedule-every: found 0");
  refuses({"--schedule-minimum", "5"}, "--schedule-minimum: found 5");
  refuses({"--threads", "-1"}, "--threads: found -1");
  refuses({"--loss", "inf*bce"}, "--loss: found the weight 'inf'");
  refuses({"--augment", "noise=nan"}, "noise=nan");
  refuses({"--norm", "layer"}, "--norm: found 'layer'");
  refuses({"--device", "cuda:99"}, "");
  refuses({"--backend", "cudnn", "--device", "cpu"}, "--backend cudnn runs on a GPU");
  refuses({"--split", w.path("none")}, "none/");
  REQUIRE(run_glia(w.train("a/run", 1)).code == 0);
}

TEST_CASE("train: what is in the way of a run is a run, which goes on, or is not", "[cli]") {
  const CliWorkspace w;
  fs::create_directories(w.path("notes"));
  write_file_atomically(w.path("notes/a.txt"), "a");
  const Outcome notes = run_glia(w.train("notes", 1));
  CAPTURE(notes.output);
  CHECK(notes.code == 1);
  CHECK(contains(notes, "notes: is there already, and no run; choose another --out"));
  CHECK_FALSE(contains(notes, "--resume"));
  REQUIRE(run_glia(w.train("my run", 1)).code == 0);
  const Outcome again = run_glia(w.train("my run", 1));
  CAPTURE(again.output);
  CHECK(contains(again, "or --resume '" + w.path("my run") + "'"));

  // What has come to its end says so, with what goes on.
  const Outcome done = run_glia({"train", "--resume", w.path("my run"), "--epochs", "1"});
  CAPTURE(done.output);
  CHECK(done.code == 0);
  CHECK(contains(done, "nothing to do: 1 of 1 epochs are done; to go on, pass --epochs 2 or more"));
  const Outcome on = run_glia({"train", "--resume", w.path("my run"), "--epochs", "2"});
  CHECK(on.code == 0);
  CHECK(contains(on, "epoch 2/2"));
  REQUIRE(run_glia(with_flags(w.train("steps", 3), {"--max-steps", "2"})).code == 0);
  CHECK(contains(run_glia({"train", "--resume", w.path("steps")}),
                 "nothing to do: the run's --max-steps 2 are done"));
}

TEST_CASE("train: settings without effect are told of, those that have one are not", "[cli]") {
  const CliWorkspace w;
  const auto said = [&](const Words& more) {
    const Outcome outcome = run_glia(with_flags(w.train("run", 1), more));
    CAPTURE(more, outcome.output);
    CHECK(outcome.code == 0);
    fs::remove_all(w.path("run"));
    return outcome;
  };
  const Words idle = {"--momentum", "0.5", "--schedule-patience", "2", "--smooth", "2",
                      "--loss",     "bce"};
  const Outcome told = said(idle);
  for (const char* text : {"warning: --momentum has no effect without --optimizer sgd",
                           "warning: --schedule-patience has no effect without --schedule plateau",
                           "warning: --smooth has no effect without iou or dice in --loss"})
    CHECK_THAT(told.output, ContainsSubstring(text));
  CHECK_FALSE(contains(said({"--momentum", "0.5", "--optimizer", "sgd", "--schedule", "plateau",
                             "--schedule-patience", "2", "--smooth", "2", "--loss", "dice"}),
                       "no effect"));
}

TEST_CASE("train: a limit on the size of files is a write that fails, and leaves nothing",
          "[cli]") {
  const CliWorkspace w;
  std::string words;
  for (const std::string& word : w.train("run", 1)) words += " '" + word + "'";
  for (const int kib : {0, 4, 16}) {
    CAPTURE(kib);
    // Blocks of 512 bytes in a POSIX shell; the output goes through a pipe, which has no limit.
    const Outcome outcome = run_shell(
        fmt::format("(ulimit -f {} && \"$GLIA\"{}; echo code $?) 2>&1 | cat", 2 * kib, words));
    CAPTURE(outcome.output);
    CHECK(contains(outcome, "code 1"));
    CHECK(contains(outcome,
                   "cannot write: File too large; raise the limit on the size of files "
                   "(ulimit -f)"));
    CHECK_FALSE(fs::exists(w.path("run")));
  }
  CHECK(run_glia(w.train("run", 1)).code == 0);
}

TEST_CASE("train: a run that is killed before its first step can be resumed or given again",
          "[cli]") {
  const CliWorkspace w;
  REQUIRE(run_glia(w.train("whole", 1)).code == 0);
  const auto last = [&](const std::string& run) {
    return [file = w.path(run + "/last.safetensors")] { return fs::exists(file); };
  };
  // Checkpoints at the end of epochs only: this one is from before the first step.
  const Words words = with_flags(w.train("killed", 1), {"--checkpoint-every", "0"});
  for (const char* way : {"resume", "again"}) {
    CAPTURE(way);
    fs::remove_all(w.path("killed"));
    REQUIRE(signal_glia(words, SIGKILL, last("killed")).code == 128 + SIGKILL);
    const Outcome outcome = run_glia(
        way == std::string("resume") ? Words{"train", "--resume", w.path("killed")} : words);
    CAPTURE(outcome.output);
    CHECK(outcome.code == 0);
    CHECK(read_file(w.path("killed/metrics.csv")).substr(0, 80) ==
          read_file(w.path("whole/metrics.csv")).substr(0, 80));
  }
  const Outcome third = run_glia(words);
  CHECK(third.code == 1);
  CHECK(contains(third, "exists and is not empty; choose another --out, or --resume"));
}

TEST_CASE("train: two programs never work in one run folder", "[cli]") {
  const CliWorkspace w(16);
  const Words words = w.train("run", 500);
  std::vector<Outcome> seconds;
  const Outcome first = signal_glia(words, SIGINT, [&] {
    if (!fs::exists(w.path("run/last.safetensors"))) return false;
    seconds = {run_glia(words), run_glia({"train", "--resume", w.path("run")})};
    return true;
  });
  CAPTURE(first.output);
  REQUIRE(first.code == 130);
  REQUIRE(seconds.size() == 2);
  for (const Outcome& second : seconds) {
    CAPTURE(second.output);
    CHECK(second.code == 1);
    CHECK(contains(second, w.path("run") + ": another glia (process "));
    CHECK(contains(second, "works in this folder; wait until it has ended"));
  }
  const std::string log = read_file(w.path("run/log.txt"));
  CHECK(log.find("from scratch") == log.rfind("from scratch"));
  CHECK(log.find("resumed") == std::string::npos);
}

TEST_CASE("train, sweep: what a link leads to and what is no lock of Glia's stay as they are",
          "[cli]") {
  const CliWorkspace w(16);
  const std::string decoy = w.path("decoy");
  write_file_atomically(decoy, "precious");
  const auto refused = [&](const Words& words, const std::string& text) {
    const Outcome outcome = run_glia(words);
    CAPTURE(words, outcome.output);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome, text));
    CHECK(read_file(decoy) == "precious");
  };
  const auto works = [&](const Words& words) {
    const Outcome outcome = run_glia(words);
    CAPTURE(words, outcome.output);
    CHECK(outcome.code == 0);
    CHECK(read_file(decoy) == "precious");
  };
  const std::string lock = w.path("run/run.lock"), log = w.path("run/log.txt"),
                    table = w.path("run/metrics.csv");
  const std::string link = lock +
                           ": a link in the place of Glia's lock; move it elsewhere, or "
                           "choose another folder";
  fs::create_directory(w.path("run"));
  fs::create_symlink("../decoy", lock);
  refused(w.train("run", 1), link);
  works(w.train("another", 1));
  fs::rename(lock, w.path("moved"));
  works(w.train("run", 1));
  const Words resume = {"train", "--resume", w.path("run"), "--epochs", "2"};
  fs::remove(lock);
  fs::create_symlink("../decoy", lock);
  refused(resume, link);
  fs::remove(lock);
  write_file_atomically(lock, "notes");
  refused(resume, lock + ": holds other text than Glia's lock");
  CHECK(read_file(lock) == "notes");
  fs::remove(lock);
  fs::remove(log);
  fs::create_symlink("../decoy", log);
  refused(resume, log + ": a link, which is not written through; remove it");
  fs::remove(log);
  fs::remove(table);
  fs::create_symlink("../decoy", table);
  works(resume);
  CHECK_FALSE(fs::is_symlink(table));
  const Words sweep = with(w.sweep(), {"--depth", "2", "--seeds", "1"});
  fs::create_directory(w.path("study"));
  fs::create_symlink("../decoy", w.path("study/sweep.lock"));
  refused(sweep, w.path("study/sweep.lock") + ": a link in the place of Glia's lock");
  fs::remove(w.path("study/sweep.lock"));
  works(sweep);
}

TEST_CASE("train: a run that diverges stops, says where, and keeps its last finite checkpoint",
          "[cli]") {
  const CliWorkspace w;
  // A checkpoint from after a huge step is finite, and its network computes nothing.
  enum class Last { works, useless };
  const std::string inside =
      "the loss is nan at step 2 of epoch 1, though the weights were finite before it: values "
      "overflow inside the network";
  const auto diverges = [&](const Words& changes, const std::string& text, Last last) {
    const Words words = with_flags(w.train("run", 1), changes);
    const Outcome outcome = run_glia(words);
    CAPTURE(changes, outcome.output);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome, text));
    CHECK(contains(outcome, "last.safetensors is from before that"));
    CHECK_FALSE(fs::exists(w.path("run/best.safetensors")));
    const std::string lead = "The layer is named by: glia ", end = " --check-nan";
    const std::size_t place = outcome.output.find(lead);
    CHECK((place != std::string::npos) == (text == inside));
    if (place != std::string::npos) {
      const std::size_t from = place + lead.size();
      const Outcome named = run_shell(
          "\"$GLIA\" " + outcome.output.substr(from, outcome.output.find(end, from) - from) + end);
      CAPTURE(named.output);
      CHECK(named.code == 1);
      CHECK(contains(named, "--check-nan: "));
      CHECK(contains(named, "all that it read was finite"));
    }
    const Outcome evaluated = run_glia(
        {"evaluate", "--checkpoint", w.path("run/last.safetensors"), "--data", w.path("slices")});
    CAPTURE(evaluated.output);
    CHECK(evaluated.code == (last == Last::works ? 0 : 1));
    if (last == Last::useless)
      CHECK(contains(evaluated, "slice 0: 1024 of 1024 probabilities are NaN"));
    fs::remove_all(w.path("run"));
  };
  diverges({"--learning-rate", "1e20", "--checkpoint-every", "1"}, inside, Last::useless);
  diverges({"--learning-rate", "1e20", "--checkpoint-every", "0"}, inside, Last::works);
  diverges({"--norm", "none", "--learning-rate", "1e6"}, inside, Last::useless);
  diverges({"--norm", "none", "--learning-rate", "1e38", "--loss", "bce"},
           "train: encoder.0.conv1.weight becomes NaN or infinite at step 1 of epoch 1",
           Last::works);
}

TEST_CASE("checkpoints that are not finite are refused by every command that opens one", "[cli]") {
  const CliWorkspace w(16);
  REQUIRE(run_glia(w.train("run", 1)).code == 0);
  const std::string last = w.path("run/last.safetensors"), out = w.path("out");
  REQUIRE(run_glia({"export-weights", "--checkpoint", last, "--out", w.path("weights")}).code == 0);
  const auto spoil = [](const std::string& path, const std::string& tensor, float value) {
    SafeTensors file = read_safetensors(path);
    std::vector<float> changed;
    for (auto& entry : file.entries)
      if (entry.name == tensor) {
        changed.assign(entry.values.begin(), entry.values.end());
        changed.front() = value;
        entry.values = changed;
      }
    REQUIRE_FALSE(changed.empty());
    file.metadata.erase("xxh3");
    write_safetensors(path, file.entries, file.metadata);
  };
  const std::string variance = "bottleneck.norm1.running_var";
  spoil(last, variance, std::numeric_limits<float>::infinity());
  spoil(w.path("weights"), "head.weight", std::numeric_limits<float>::quiet_NaN());
  const std::vector<Words> commands = {
      {"evaluate", "--checkpoint", last, "--data", w.path("slices"), "--out", out},
      {"predict", "--checkpoint", last, "--input", w.path("slices/0_img.npy"), "--out", out},
      {"explain", "--checkpoint", last, "--input", w.path("slices/0_img.npy"), "--out", out},
      {"export", "--checkpoint", last, "--onnx", out},
      {"export-weights", "--checkpoint", last, "--out", out},
      {"model-card", "--checkpoint", last, "--out", out},
      {"train", "--resume", w.path("run"), "--epochs", "2"},
      {"import-weights", "--weights", w.path("weights"), "--out", out}};
  for (const Words& command : commands) {
    const Outcome outcome = run_glia(command);
    CAPTURE(command.front(), outcome.output);
    CHECK(outcome.code == 1);
    const bool imports = command.front() == "import-weights";
    CHECK(contains(outcome, imports ? "tensor 'head.weight'" : "tensor '" + variance + "'"));
    CHECK(contains(outcome, "values are NaN or infinite, the first at 0"));
    CHECK_FALSE(fs::exists(out));
  }
}
