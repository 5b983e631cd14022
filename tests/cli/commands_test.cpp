// The subcommands end to end, and what they say to bad input.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/formats/npy.h"
#include "engine/train/checkpoint.h"
#include "tests/cli/workspace.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;

/// Expects failure with one clear message: exit status `code`, `text` in the output, no stack of
/// templates and nothing killed.
void check_refused(const Outcome& outcome, int code, const std::string& text) {
  CAPTURE(outcome.output);
  CHECK(outcome.code == code);
  CHECK(outcome.output.find(text) != std::string::npos);
  CHECK(outcome.output.find("terminate called") == std::string::npos);
}

}  // namespace

TEST_CASE("program: every command has help with an example and defaults", "[cli]") {
  CHECK(run_glia({"--help"}).output.find("Example:") != std::string::npos);
  for (const char* command : {"phantom", "import", "split", "check-data", "train", "sweep",
                              "evaluate", "predict", "doctor"}) {
    const Outcome outcome = run_glia({command, "--help"});
    CAPTURE(command, outcome.output);
    CHECK(outcome.code == 0);
    CHECK(outcome.output.find(std::string("Example:\n  glia ") + command) != std::string::npos);
  }
  const std::string help = run_glia({"train", "--help"}).output;
  for (const char* line :
       {"\nUsage: glia train [OPTIONS]\n",
        "\n  --batch-size INT in [1 - 4096]=6\n                              Slices a step\n",
        "\n  --arch {unet,seed}=unet     unet, or seed:"})
    CHECK_THAT(help, ContainsSubstring(line));
  for (std::size_t start = 0, end; start < help.size(); start = end + 1) {
    end = help.find('\n', start);
    const std::string line = help.substr(start, end - start);
    CAPTURE(line);
    // Names of flags and examples are not cut.
    CHECK((line.size() <= 80 || line.starts_with("  --") || line.starts_with("  glia ")));
  }
  const std::string doctor = run_glia({"doctor"}).output;
  for (const char* name : {"instruction set", "mpi Open MPI", "mpi MPICH"})
    CHECK(doctor.find(name) != std::string::npos);
}

TEST_CASE("program: a command that there is not is named, with those it may stand for", "[cli]") {
  const auto said = [](const std::string& word) {
    const Outcome outcome = run_glia({word});
    CAPTURE(outcome.output);
    CHECK(outcome.code == 2);
    CHECK(std::count(outcome.output.begin(), outcome.output.end(), '\n') == 1);
    return outcome.output;
  };
  CHECK(said("trian") == "glia: no command 'trian'; did you mean train? glia --help lists all\n");
  CHECK(said("exprot") ==
        "glia: no command 'exprot'; did you mean export? glia --help lists all\n");
  CHECK(said("impor") ==
        "glia: no command 'impor'; did you mean import or import-weights? glia --help lists all\n");
  CHECK(said("segment").starts_with("glia: no command 'segment'; there are phantom, import, "));
  CHECK(said("bad\x1b\nword").starts_with("glia: no command 'bad\\x1B\\x0Aword'; there are "));
  for (const char* flag : {"--help", "--version"}) CHECK(run_glia({flag}).code == 0);
  check_refused(run_glia({}), 2, "");
}

TEST_CASE("program: a flag that there is not is named, with those it may stand for", "[cli]") {
  const auto said = [](const std::vector<std::string>& words) {
    const Outcome outcome = run_glia(words);
    CAPTURE(words, outcome.output);
    CHECK(outcome.code == 2);
    return outcome.output;
  };
  CHECK(said({"train", "--dat", "s", "--foo"}) ==
        "glia: train: no flag --dat; did you mean --data? glia train --help lists all\n");
  CHECK(said({"predict", "--chekpoint=x", "--input", "a"}) ==
        "glia: predict: no flag --chekpoint; did you mean --checkpoint? glia predict --help lists "
        "all\n");
  CHECK(said({"train", "-x", "a"}) == "glia: train: no flag -x; glia train --help lists all\n");
  CHECK(said({"train", "a", "b"}) ==
        "glia: train: 'a' belongs to no flag; glia train --help lists all\n");
  CHECK(said({"--foo"}) == "glia: no flag --foo; glia --help lists all\n");
  CHECK(said({"--versoin"}) ==
        "glia: no flag --versoin; did you mean --version? glia --help lists all\n");
  CHECK(run_glia({"train", "--help", "--foo"}).code == 0);
}

TEST_CASE("program: --check-nan names what made the first value that is not finite", "[cli]") {
  const CliWorkspace w;
  std::vector<std::string> steep = w.train("steep", 1);
  for (const char* more : {"--learning-rate", "1e30", "--check-nan"}) steep.push_back(more);
  const Outcome outcome = run_glia(steep);
  check_refused(outcome, 1, "glia: --check-nan: ");
  check_refused(outcome, 1, " of encoder.0.conv1 wrote ");
  std::vector<std::string> sound = w.train("sound", 1);
  sound.push_back("--check-nan");
  CHECK(run_glia(sound).code == 0);
}

TEST_CASE("program: unknown flags and values are refused with status 2", "[cli]") {
  check_refused(run_glia({}), 2, "subcommand is required");
  check_refused(run_glia({"train", "--bogus"}), 2, "--bogus");
  check_refused(run_glia({"train", "--arch", "resnet"}), 2, "resnet");
  check_refused(run_glia({"train", "--epochs", "many"}), 2, "many");
}

TEST_CASE("program: train, evaluate and predict leave what they promise", "[cli]") {
  const CliWorkspace w;
  const Outcome trained = run_glia(w.train("run", 2));
  CAPTURE(trained.output);
  REQUIRE(trained.code == 0);
  for (const char* name : {"config.json", "environment.json", "metrics.csv", "metrics.jsonl",
                           "curves.svg", "log.txt", "last.safetensors", "best.safetensors",
                           "split/train.txt", "split/val.txt", "split/manifest.json"})
    CHECK(fs::file_size(fs::path(w.path("run")) / name) > 0);

  const std::string best = w.path("run/best.safetensors");
  const Outcome evaluated =
      run_glia({"evaluate", "--checkpoint", best, "--data", w.path("slices"), "--list",
                w.path("split/val.txt"), "--batch-size", "2", "--json", w.path("e.json")});
  CAPTURE(evaluated.output);
  REQUIRE(evaluated.code == 0);
  const auto json = nlohmann::json::parse(read_file(w.path("e.json")));
  // The figure of the best epoch in the metrics is what evaluate finds for the best checkpoint.
  double best_iou = 0;
  std::ifstream rows(w.path("run/metrics.jsonl"));
  for (std::string line; std::getline(rows, line);)
    best_iou = std::max(best_iou, nlohmann::json::parse(line)["val_batch_iou"].get<double>());
  CHECK(json["batch_iou"].get<double>() == Approx(best_iou).epsilon(1e-12));
  CHECK(json["slices"].size() == json["number_of"]["slices"].get<std::size_t>());

  const Outcome predicted = run_glia({"predict", "--checkpoint", best, "--input", w.path("slices"),
                                      "--list", w.path("split/val.txt"), "--out", w.path("out")});
  CAPTURE(predicted.output);
  REQUIRE(predicted.code == 0);
  const std::string id = json["slices"][0]["id"];
  for (const char* kind : {"mask", "probability", "overlay", "triptych"})
    CHECK(fs::exists(fs::path(w.path("out")) / (id + "_" + kind + ".png")));
  CHECK(fs::exists(fs::path(w.path("out")) / "sheet.png"));
}

TEST_CASE("program: --best-by chooses the epoch that best.safetensors holds", "[cli]") {
  const CliWorkspace w;
  const auto figure = [](const nlohmann::json& row, const std::string& by) {
    if (by == "loss") return -row["val_loss"].get<double>();
    std::string name = "val_" + by;
    std::replace(name.begin(), name.end(), '-', '_');
    return row[name].get<double>();
  };
  for (const std::string by :
       {"batch-iou", "batch-iou-thresholded", "batch-dice-thresholded", "loss"}) {
    auto words = w.train(by, 4);
    if (by != "batch-iou") words.insert(words.end(), {"--best-by", by});
    const Outcome outcome = run_glia(words);
    CAPTURE(by, outcome.output);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome, "  thresholded iou 0."));
    std::ifstream lines(w.path(by + "/metrics.jsonl"));
    nlohmann::json best;
    for (std::string line; std::getline(lines, line);)
      if (const auto row = nlohmann::json::parse(line);
          best.is_null() || figure(row, by) > figure(best, by))
        best = row;
    const Checkpoint checkpoint = Checkpoint::open(w.path(by + "/best.safetensors"));
    CHECK(checkpoint.info["epoch"] == best["epoch"]);
    CHECK(checkpoint.info["validation"]["best_by"] == by);
    CHECK(checkpoint.info["validation"]["batch_dice_thresholded"] ==
          best["val_batch_dice_thresholded"]);
    const std::string title = "Best epoch " + std::to_string(best["epoch"].get<int>()) + ": ";
    CHECK_THAT(read_file(w.path(by + "/curves.svg")), ContainsSubstring(title));
    CHECK_THAT(read_file(w.path(by + "/report.html")), ContainsSubstring(title));
  }
}

TEST_CASE("program: predict takes any size and needs only checkpoint and image", "[cli]") {
  const CliWorkspace w;
  REQUIRE(run_glia(w.train("run", 1)).code == 0);
  const std::vector<float> image(37 * 21 * 3, 0.5f);
  write_npy<float>(w.path("odd.npy"), {37, 21, 3}, image);
  const Outcome outcome = run_glia({"predict", "--checkpoint", w.path("run/best.safetensors"),
                                    "--input", w.path("odd.npy"), "--out", w.path("out")});
  CAPTURE(outcome.output);
  CHECK(outcome.code == 0);
  CHECK(fs::exists(fs::path(w.path("out")) / "odd_mask.png"));
  const std::vector<float> grey(16, 0.5f);
  write_npy<float>(w.path("grey.npy"), {4, 4, 1}, grey);
  check_refused(run_glia({"predict", "--checkpoint", w.path("run/best.safetensors"), "--input",
                          w.path("grey.npy"), "--out", w.path("grey")}),
                1, "the image has 1 channels, the network expects 3");
}

TEST_CASE("program: the notebook's variant and the other choices run", "[cli]") {
  const CliWorkspace w;
  const std::vector<std::vector<std::string>> choices = {
      {"--arch", "seed", "--optimizer", "rmsprop", "--schedule", "plateau"},
      {"--norm", "group", "--loss", "bce+dice", "--optimizer", "sgd", "--schedule", "cosine"},
      {"--up", "upsample", "--region", "image", "--optimizer", "adamw", "--weight-decay", "0.01",
       "--schedule", "step", "--normalize", "dataset"}};
  int number = 0;
  for (const auto& choice : choices) {
    auto arguments = w.train("run" + std::to_string(number++), 1);
    arguments.insert(arguments.end(), choice.begin(), choice.end());
    const Outcome outcome = run_glia(arguments);
    CAPTURE(choice, outcome.output);
    CHECK(outcome.code == 0);
  }
}

TEST_CASE("program: a network that calls everything background is reported", "[cli]") {
  const CliWorkspace w;
  // Steps of a large rate throw the weights so far that nothing is left of the logits' spread.
  auto arguments = w.train("run", 1);
  for (const char* word : {"--learning-rate", "1", "--norm", "none", "--loss", "bce"})
    arguments.emplace_back(word);
  const Outcome outcome = run_glia(arguments);
  CAPTURE(outcome.output);
  CHECK(outcome.code == 0);
  CHECK(contains(outcome, "the network has collapsed"));
}

TEST_CASE("program: training refuses what cannot work, before it leaves a folder", "[cli]") {
  const CliWorkspace w;
  const auto with = [&](const std::string& flag, const std::string& value) {
    auto arguments = w.train("new", 1);
    for (auto it = arguments.begin(); it != arguments.end(); ++it)
      if (*it == flag) {
        *(it + 1) = value;
        return arguments;
      }
    arguments.push_back(flag);
    arguments.push_back(value);
    return arguments;
  };
  check_refused(run_glia(with("--data", w.path("nowhere"))), 1, "nowhere: no such folder");
  check_refused(run_glia(with("--loss", "iuo")), 1, "--loss: found 'iuo'");
  check_refused(run_glia(with("--optimizer", "lion")), 1, "--optimizer: found 'lion'");
  check_refused(run_glia(with("--base-width", "0")), 1, "--base-width: found 0");
  check_refused(run_glia(with("--augment", "blur=1")), 1, "blur");
  CHECK(!fs::exists(w.path("new")));
  check_refused(run_glia(with("--batch-size", "99")), 1, "99");
  check_refused(run_glia(with("--split", w.path("slices"))), 1, "train.txt");

  REQUIRE(run_glia(w.train("run", 1)).code == 0);
  check_refused(run_glia(w.train("run", 1)), 1, "exists and is not empty");
  check_refused(run_glia({"train", "--resume", w.path("split")}), 1, "found no last.safetensors");
  check_refused(run_glia({"train", "--resume", w.path("run"), "--loss", "bce"}), 1,
                "--loss cannot be changed");
}

TEST_CASE("program: sizes that do not halve are refused by train", "[cli]") {
  const CliWorkspace w(34);
  check_refused(run_glia(w.train("run", 1)), 1,
                "the slices are 34x34, expected multiples of 4 (2^depth)");
}

TEST_CASE("program: checkpoints that are none, or another's, are refused", "[cli]") {
  const CliWorkspace w;
  REQUIRE(run_glia(w.train("run", 1)).code == 0);
  const auto evaluate = [&](const std::string& checkpoint) {
    return run_glia({"evaluate", "--checkpoint", checkpoint, "--data", w.path("slices")});
  };
  check_refused(evaluate(w.path("split/train.txt")), 1, "train.txt");
  check_refused(evaluate(w.path("missing")), 1, "missing: cannot read: no such file");
  const std::string best = read_file(w.path("run/best.safetensors"));
  write_file_atomically(w.path("half.safetensors"), best.substr(0, best.size() / 2));
  check_refused(evaluate(w.path("half.safetensors")), 1, "half.safetensors");
  // The weights of one architecture under the name of another: changed metadata are noticed by
  // their checksum, and without one by the shapes.
  std::string other = best;
  const auto replace = [&](const std::string& from, const std::string& to) {
    const auto at = other.find(from);
    REQUIRE(at != std::string::npos);
    other.replace(at, from.size(), to);
    write_file_atomically(w.path("other.safetensors"), other);
  };
  replace(R"(\"base_width\":4)", R"(\"base_width\":8)");
  check_refused(evaluate(w.path("other.safetensors")), 1, "the metadata are not those");
  replace(R"("xxh3")", R"("none")");
  check_refused(evaluate(w.path("other.safetensors")), 1, "the model expects");
}

TEST_CASE("program: bad slices are named with their file", "[cli]") {
  const CliWorkspace w;
  const fs::path slices = w.path("slices");
  const auto evaluate_refuses = [&](const std::string& text) {
    check_refused(run_glia(w.train("r", 1)), 1, text);
    fs::remove_all(w.path("r"));
    check_refused(run_glia({"check-data", "--data", slices.string()}), 1, text);
  };
  const std::vector<float> image(32 * 32 * 3, 0.5f);
  const std::vector<std::uint8_t> mask(32 * 32, 0);
  const auto restore = [&] {
    write_npy<float>(slices / "0_img.npy", {32, 32, 3}, image);
    write_npy<std::uint8_t>(slices / "0_seg.npy", {32, 32}, mask);
  };
  restore();

  fs::rename(slices / "0_seg.npy", w.path("kept"));
  evaluate_refuses("an image without its mask");
  restore();

  auto labels = mask;
  labels[5] = 7;
  write_npy<std::uint8_t>(slices / "0_seg.npy", {32, 32}, labels);
  check_refused(run_glia({"check-data", "--data", slices.string()}), 1, "label values 0, 7");
  restore();

  auto broken = image;
  broken[3] = std::numeric_limits<float>::quiet_NaN();
  write_npy<float>(slices / "0_img.npy", {32, 32, 3}, broken);
  check_refused(run_glia({"check-data", "--data", slices.string()}), 1, "NaN");
  restore();

  std::ofstream(slices / "0_img.npy", std::ios::binary) << "PK\x03\x04 zipped";
  evaluate_refuses("0_img.npy");
}

TEST_CASE("program: an unwritable place is one message", "[cli]") {
  const CliWorkspace w;
  std::ofstream(w.path("file")) << "in the way";
  check_refused(run_glia({"phantom", "--out", w.path("file") + "/slices", "--patients", "1"}), 1,
                "/file/slices: cannot create the folder: Not a directory");
  check_refused(run_glia(w.train("file/run", 1)), 1, "file/run");
}

TEST_CASE(
    "program: a flag given twice, and a word where a number or auto belongs, are said plainly",
    "[cli]") {
  const Outcome twice = run_glia({"plan", "--batch-size", "1", "--batch-size", "2"});
  CHECK(twice.code == 2);
  CHECK(contains(twice, "glia plan: --batch-size: given 2 times, expected once\n"));
  for (const char* wrong : {"0", "x", "1.5", "100001"}) {
    const Outcome samples = run_glia({"bench", "--samples", wrong});
    CHECK(samples.code == 2);
    CHECK(contains(samples, std::string("glia bench: --samples: found '") + wrong +
                                "', expected 1 to 100000, or auto\n"));
  }
}
