// Stopping and resuming leaves no trace: weights, optimizer state and metrics are the same bits.
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "engine/base/file.h"
#include "engine/formats/safetensors.h"
#include "tests/cli/same_run.h"
#include "tests/cli/workspace.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;

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

TEST_CASE("resume: data that changed meanwhile is noticed, data that moved is found", "[cli]") {
  const CliWorkspace w(16);
  REQUIRE(run_glia(w.train("whole", 2)).code == 0);
  REQUIRE(run_glia(w.train("run", 1)).code == 0);
  const std::vector<std::string> resume = {"train",     "--resume", w.path("run"), "--epochs", "2",
                                           "--threads", "1"};
  const auto refused = [&](std::vector<std::string> more, const std::string& text) {
    more.insert(more.begin(), resume.begin(), resume.end());
    const Outcome outcome = run_glia(more);
    CAPTURE(more, outcome.output);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome, text));
  };
  // The same list, other bytes: of an image, then of a mask of the other list.
  for (const char* name : {"slices/0_img.npy", "slices/64_seg.npy"}) {
    const std::string file = w.path(name), before = read_file(file);
    std::string bytes = before;
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    write_file_atomically(file, bytes);
    refused({}, file + ": has changed since the run started");
    write_file_atomically(file, before);
  }
  fs::rename(w.path("slices"), w.path("moved"));
  refused({}, w.path("slices") + ": the run's data folder is not there");
  refused({}, "say with --data where it is now");
  REQUIRE(run_glia({"phantom", "--out", w.path("other"), "--patients", "4", "--slices", "5",
                    "--size", "16", "--seed", "4"})
              .code == 0);
  refused({"--data", w.path("other")}, "33 more: have changed since the run started");
  auto moved = resume;
  moved.insert(moved.end(), {"--data", w.path("moved")});
  const Outcome outcome = run_glia(moved);
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  check_same_run(w.path("whole"), w.path("run"));
  // The run knows the new place from then on; the lists of files are its own.
  CHECK(run_glia({"train", "--resume", w.path("run"), "--epochs", "3"}).code == 0);
  write_file_atomically(w.path("run/split/files.xxh3"), "none\n");
  refused({}, "files.xxh3: damaged: it is not what the run wrote there; take it from");
}

TEST_CASE("resume: states that no run has, and changed bytes, are refused", "[cli]") {
  const CliWorkspace w(16);
  REQUIRE(run_glia(w.train("run", 1)).code == 0);
  const std::string last = w.path("run/last.safetensors"), good = read_file(last);
  const auto resume = [&] {
    return run_glia({"train", "--resume", w.path("run"), "--epochs", "2", "--threads", "1"});
  };
  const auto refused = [&](const std::string& place, const nlohmann::json& value,
                           const std::string& text) {
    write_file_atomically(last, good);
    SafeTensors file = read_safetensors(last);
    nlohmann::json info = nlohmann::json::parse(file.metadata["glia"]);
    info[nlohmann::json::json_pointer(place)] = value;
    if (place == "/epoch" || place == "/steps")  // which a checkpoint says twice
      info[nlohmann::json::json_pointer("/training" + place)] = value;
    file.metadata["glia"] = info.dump();
    file.metadata.erase("xxh3");
    write_safetensors(last, file.entries, file.metadata);
    const Outcome outcome = resume();
    CAPTURE(place, outcome.output);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome, last + ": "));
    CHECK(contains(outcome, text));
  };
  refused("/epoch", -1, "'epoch' is -1");
  refused("/steps", -5, "'steps' is -5");
  refused("/steps", 3, "its epochs end at step 7, and the run's at 3");
  refused("/training/epoch", -1, "'epoch' is 2, and -1 in 'training'; the file is damaged");
  refused("/training/steps", 0, "'steps' is 7, and 0 in 'training'; the file is damaged");
  refused("/training/images", 3, "3 images in");
  refused("/training/config/batch_size", 2.5, "'batch_size' is 2.5; expected a whole number");
  refused("/training/config/seed", -1, "'seed' is -1");
  refused("/training/config/loss", 7, "'loss' is 7; expected a text");
  refused("/training/config/optimizer/beta1", 2, "beta1");
  refused("/training/config/optimizer/kind", "lion", "found 'lion'");
  refused("/training/config/schedule",
          {{"kind", "step"}, {"initial", 1e-3}, {"every", 10}, {"factor", "x"}},
          "'factor' is \"x\"");
  refused("/training/schedule/waited", -1, "'waited' is -1");
  refused("/training/schedule/plateau_rate", 7, "'plateau_rate' is 7");
  refused("/training/config/epochs", 0, "--epochs: found 0");
  refused("/model/depth", 2.7, "'depth' is 2.7; expected a whole number");
  refused("/model/depth", 3, "tensor");
  refused("/training/config/augment/twist", 1, "'twist' is none that this version of Glia knows");
  refused("/training/config/batch_size", 1000000000, "--batch-size: found 1000000000, expected 1");
  refused("/training/config/epochs", INT64_MAX, "--epochs: found 9223372036854775807, expected 1");
  for (const char* place :
       {"/training/config/", "/training/config/optimizer/", "/training/config/schedule/",
        "/training/", "/training/rows/0/", "/training/schedule/", "/model/", "/preprocess/"})
    refused(place + std::string("twist"), 1, "'twist' is none that this version of Glia knows");
  refused("/precision", "foo", "'precision' is 'foo', and no training's");
  refused("/training/config/precision", "foo", "found 'foo'");
  refused("/training/rows/0/val_batch_iou", -3, "'val_batch_iou' is -3; expected 0 to 1");
  refused("/training/rows/0/val_loss", -3, "'val_loss' is -3; expected a loss of 0 or more");
  refused("/training/best", -3, "'best' is -3, and the best of its epochs");
  refused("/preprocess/normalize", 1, "'normalize'");
  refused("/preprocess/normalize", "dataset", "normalize is dataset, with 0 means");
  refused("/data", 5, "'data' is 5; expected a text");

  std::string bytes = good;
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  write_file_atomically(last, bytes);
  const Outcome flipped = resume();
  CHECK(flipped.code == 1);
  CHECK(contains(flipped, "its bytes are not those that were written"));

  // A checkpoint of an earlier version has no checksums: it opens, and the run says what that
  // means.
  SafeTensors file = read_safetensors([&] {
    write_file_atomically(last, good);
    return last;
  }());
  nlohmann::json info = nlohmann::json::parse(file.metadata["glia"]);
  info.erase("files_hash");
  file.metadata["glia"] = info.dump();
  write_safetensors(last, file.entries, file.metadata);
  bytes = read_file(last);
  bytes[bytes.find("\"xxh3\"") + 1] = 'y';
  write_file_atomically(last, bytes);
  CHECK_FALSE(contains(run_glia({"evaluate", "--checkpoint", last, "--data", w.path("slices")}),
                       "checksums"));
  const Outcome old = resume();
  CAPTURE(old.output);
  CHECK(old.code == 0);
  CHECK(contains(old, "kept no checksums of its checkpoint and data"));
  CHECK(contains(
      run_glia({"train", "--resume", w.path("run"), "--epochs", "3", "--data", w.path("slices")}),
      "nobody can tell whether"));
}
