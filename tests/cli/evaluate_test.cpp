// What evaluation and training leave for people: pages, tables, warnings, event files.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "engine/base/file.h"
#include "engine/formats/npy.h"
#include "tests/cli/workspace.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;

bool contains(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

std::size_t lines_of(const std::string& file) {
  const std::string text = read_file(file);
  return std::size_t(std::count(text.begin(), text.end(), '\n'));
}

std::vector<std::string> evaluate(const CliWorkspace& w, const std::string& run,
                                  const std::vector<std::string>& more) {
  std::vector<std::string> arguments{
      "evaluate",   "--checkpoint", w.path(run + "/best.safetensors"), "--data", w.path("slices"),
      "--group-by", "id/5"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::size_t event_files(const std::string& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder))
    count += contains(entry.path().filename().string(), "events.out.tfevents.");
  return count;
}

}  // namespace

TEST_CASE("program: an evaluation leaves a page, tables and JSON that agree", "[cli]") {
  const CliWorkspace w;
  REQUIRE(run_glia(w.train("run", 2)).code == 0);
  const std::string out = w.path("evaluation");
  const Outcome outcome = run_glia(
      evaluate(w, "run",
               {"--out", out, "--pixel-size", "0.5,2", "--bootstrap", "100", "--inference-table",
                "--json", w.path("e.json"), "--explain", "grad-cam"}));
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK(contains(outcome.output, "HD95 (mm)"));
  CHECK(contains(outcome.output, "best threshold"));
  // All slices, so also those it was trained on.
  CHECK(contains(outcome.output, "warning: the network was trained on "));
  const auto json = nlohmann::json::parse(read_file(out + "/evaluation.json"));
  CHECK(json == nlohmann::json::parse(read_file(w.path("e.json"))));
  CHECK(json["number_of"]["patients"] == 4);
  CHECK(json["distance_unit"] == "mm");
  CHECK(json["per_patient"]["dice"]["interval"].size() == 2);
  CHECK(json["threshold_curve"]["points"].size() == 99);
  CHECK(json["calibration"]["bins"].size() == 10);
  CHECK(json["provenance"]["data"]["files_xxh3"].get<std::string>().size() == 32);
  CHECK(json["provenance"]["model"]["checkpoint_xxh3"].get<std::string>().size() == 32);
  // The curve at the threshold in use is the table's Dice.
  const auto at_half = json["threshold_curve"]["points"][49];
  CHECK(at_half["threshold"] == 0.5);
  CHECK(at_half["dice_pooled"].get<double>() ==
        Approx(json["pooled"]["dice"]["mean"].get<double>()).epsilon(1e-9));
  CHECK(lines_of(out + "/slices.csv") == 21);
  CHECK(lines_of(out + "/patients.csv") == 5);
  const std::string page = read_file(out + "/report.html");
  CHECK(contains(page, "trained on "));
  CHECK(contains(page, "data:image/png;base64,"));
  CHECK(contains(page, "keep-largest"));  // of the table of inference options
  CHECK(contains(page, "Grad-CAM: where bottleneck speaks for the prediction"));
  CHECK(contains(run_glia(evaluate(w, "run", {"--explain", "flips"})).output,
                 "--explain: the maps go into the report; add --out FOLDER"));

  // The same slices, the same bits; other data is seen by its hash.
  REQUIRE(run_glia(evaluate(w, "run",
                            {"--json", w.path("again.json"), "--pixel-size", "0.5,2", "--bootstrap",
                             "100", "--inference-table"}))
              .code == 0);
  CHECK(json == nlohmann::json::parse(read_file(w.path("again.json"))));
}

TEST_CASE("program: evaluation says what a reader must know", "[cli]") {
  const CliWorkspace w;
  REQUIRE(run_glia({"split", "--data", w.path("slices"), "--out", w.path("leaky"), "--group-by",
                    "none", "--val", "0.5"})
              .code == 0);
  auto arguments = w.train("run", 1);
  std::replace(arguments.begin(), arguments.end(), w.path("split"), w.path("leaky"));
  const Outcome trained = run_glia(arguments);
  CAPTURE(trained.output);
  REQUIRE(trained.code == 0);
  CHECK(contains(read_file(w.path("run/report.html")), "may stand on both sides"));
  const Outcome outcome = run_glia(
      evaluate(w, "run", {"--list", w.path("leaky/val.txt"), "--out", w.path("evaluation")}));
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  const std::string page = read_file(w.path("evaluation/report.html"));
  for (const char* text : {"slices of one patient may stand on both sides",
                           "these are the validation slices, by which the best epoch was chosen",
                           "the network was trained on slices of "}) {
    CHECK(contains(outcome.output, text));
    CHECK(contains(page, text));
  }
}

TEST_CASE("program: HD95 is in mm where the table beside the slices knows the pixels", "[cli]") {
  const CliWorkspace w;
  REQUIRE(run_glia(w.train("run", 1)).code == 0);
  // The patients' slices have the ids 20 p + slice.
  const auto write_table = [&](const std::function<std::string(int patient)>& size) {
    std::string table = "id,group,row_mm,column_mm\n";
    for (int patient = 0; patient < 4; ++patient)
      for (int slice = 0; slice < 5; ++slice)
        table += std::to_string(20 * patient + slice) + ",p" + std::to_string(patient) + "," +
                 size(patient) + "\n";
    write_file_atomically(w.path("slices/manifest.csv"), table);
  };
  // A low threshold finds something in every slice, so that few distances are the diagonal.
  const auto score = [&](const std::vector<std::string>& more, std::string& output) {
    std::vector<std::string> words{"evaluate",    "--checkpoint",   w.path("run/best.safetensors"),
                                   "--data",      w.path("slices"), "--threshold",
                                   "0.3",         "--json",         w.path("e.json"),
                                   "--overwrite", "--bootstrap",    "100"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = run_glia(words);
    output = outcome.output;
    CAPTURE(output);
    REQUIRE(outcome.code == 0);
    return nlohmann::json::parse(read_file(w.path("e.json")));
  };
  std::string output;
  const auto pixels = score({}, output);
  CHECK(pixels["distance_unit"] == "pixels");
  CHECK(pixels["pixel_size_mm"].empty());
  CHECK_FALSE(contains(output, "pixel size:"));
  REQUIRE(pixels["per_slice"]["hd95"]["defined"] > 10);
  /// Whether each slice's distance is that in pixels times `scale` of its patient.
  const auto scaled = [&](const nlohmann::json& json, const std::function<double(int)>& scale) {
    for (std::size_t i = 0; i < pixels["slices"].size(); ++i) {
      const auto &before = pixels["slices"][i], &after = json["slices"][i];
      if (before["hd95"].is_null() != after["hd95"].is_null()) return false;
      if (before["hd95"].is_null()) continue;
      const int patient = std::stoi(before["id"].get<std::string>()) / 20;
      if (after["hd95"].get<double>() !=
          Approx(before["hd95"].get<double>() * scale(patient)).epsilon(1e-9))
        return false;
    }
    return true;
  };

  write_table([](int) { return "1.25,1.25"; });
  const auto alike = score({}, output);
  CHECK(contains(output, "pixel size: 1.25 x 1.25 mm (the table beside the slices)"));
  CHECK(contains(output, "HD95 (mm)"));
  CHECK(alike["pixel_size_mm"] == nlohmann::json{1.25, 1.25});
  CHECK(scaled(alike, [](int) { return 1.25; }));

  // What is asked for wins.
  const auto asked = score({"--pixel-size", "2,2"}, output);
  CHECK(contains(output, "pixel size: 2 x 2 mm (--pixel-size)"));
  CHECK(scaled(asked, [](int) { return 2.0; }));

  // Each slice by its own size.
  write_table([](int patient) { return patient == 2 ? "0.5,0.5" : "3,3"; });
  const auto own = score({}, output);
  CHECK(contains(output, "pixel size: 0.5 x 0.5 mm to 3 x 3 mm, each slice by its own"));
  CHECK(own["pixel_size_mm"] == nlohmann::json{{0.5, 0.5}, {3, 3}});
  CHECK(scaled(own, [](int patient) { return patient == 2 ? 0.5 : 3.0; }));

  // Some slices only: in pixels, and both are named.
  write_table([](int patient) { return patient == 2 ? "," : "3,3"; });
  const auto half = score({"--out", w.path("evaluation")}, output);
  CHECK(contains(output, "warning: HD95 is in pixels: "));
  CHECK(contains(output, "says that those of 0 are 3 x 3 mm, and nothing of 5 of 20 slices: 40"));
  CHECK(half["distance_unit"] == "pixels");
  CHECK(scaled(half, [](int) { return 1.0; }));
  CHECK(contains(read_file(w.path("evaluation/report.html")), "HD95 is in pixels"));

  write_table([](int) { return "1,wide"; });
  CHECK(score({"--group-by", "id/20"}, output)["distance_unit"] == "pixels");
  CHECK(contains(output,
                 "manifest.csv:2: the length 'wide' is no number of mm from 1e-06 to 1000000"));
}

TEST_CASE("program: evaluation refuses sizes and channels that cannot be", "[cli]") {
  const CliWorkspace w;
  REQUIRE(run_glia(w.train("run", 1)).code == 0);
  const Outcome size = run_glia(evaluate(w, "run", {"--pixel-size", "0,1"}));
  CHECK(size.code == 1);
  CHECK(contains(size.output, "--pixel-size: expected two lengths from 1e-06 to 1000000 mm"));
  CHECK(run_glia(evaluate(w, "run", {"--pixel-size", "1"})).code == 2);
  const Outcome channel = run_glia(evaluate(w, "run", {"--channel", "3"}));
  CHECK(channel.code == 1);
  CHECK(contains(channel.output, "--channel: found 3, the images have 3"));
  CHECK(run_glia(evaluate(w, "run", {"--bootstrap", "0"})).code == 2);
}

TEST_CASE("program: slices of two sizes are told of in words that fit, with what to do", "[cli]") {
  const CliWorkspace w;
  REQUIRE(run_glia(w.train("run", 1)).code == 0);
  write_npy<float>(w.path("slices/0_img.npy"), {20, 20, 3}, std::vector<float>(20 * 20 * 3));
  write_npy<std::uint8_t>(w.path("slices/0_seg.npy"), {20, 20}, std::vector<std::uint8_t>(20 * 20));
  const std::vector<std::string> words = {
      "evaluate", "--checkpoint", w.path("run/best.safetensors"), "--data", w.path("slices")};
  const Outcome refused = run_glia(words);
  CAPTURE(refused.output);
  CHECK(refused.code == 1);
  CHECK(contains(refused, "slices that are trained on or evaluated together need one size"));
  CHECK(contains(refused, "leave this one out of the list of ids"));
  write_file_atomically(w.path("list.txt"), "1\n2\n3\n");
  const Outcome listed = run_glia(with(words, {"--list", w.path("list.txt")}));
  CAPTURE(listed.output);
  CHECK(listed.code == 0);
}

TEST_CASE("program: a run has a page that ends with it, and event files if asked for", "[cli]") {
  const CliWorkspace w;
  auto arguments = w.train("run", 1);
  arguments.push_back("--tensorboard");
  const Outcome trained = run_glia(arguments);
  CAPTURE(trained.output);
  REQUIRE(trained.code == 0);
  const std::string page = read_file(w.path("run/report.html"));
  CHECK(contains(page, "Finished: 1 of 1 epochs done."));
  CHECK_FALSE(contains(page, "http-equiv"));
  CHECK(contains(page, "train.optimizer.kind"));
  CHECK(event_files(w.path("run")) == 1);
  REQUIRE(run_glia({"train", "--resume", w.path("run"), "--epochs", "2", "--threads", "1",
                    "--tensorboard"})
              .code == 0);
  CHECK(contains(read_file(w.path("run/report.html")), "Finished: 2 of 2 epochs done."));
  CHECK(event_files(w.path("run")) == 1);
  REQUIRE(run_glia(w.train("plain", 1)).code == 0);
  CHECK(event_files(w.path("plain")) == 0);
}

TEST_CASE("program: the page of a run that failed says so", "[cli]") {
  const CliWorkspace w;
  // A rate that makes the weights infinite.
  const Outcome outcome = run_glia(
      with(w.train("run", 3), {"--learning-rate", "1e38", "--norm", "none", "--loss", "bce"}));
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 1);
  const std::string page = read_file(w.path("run/report.html"));
  CHECK(contains(page, "Ended by an error"));
  CHECK_FALSE(contains(page, "http-equiv"));
}
