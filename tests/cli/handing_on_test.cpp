// explain, export, export-weights, import-weights and model-card end to end, the options between
// network and mask, and what all of them say to bad input.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>

#include "engine/base/file.h"
#include "engine/formats/npy.h"
#include "engine/formats/safetensors.h"
#include "tests/cli/workspace.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;

void check_done(const Outcome& outcome) {
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
}

void check_refused(const Outcome& outcome, const std::string& text) {
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(outcome.output.find(text) != std::string::npos);
}

/// A workspace with a network of one epoch.
struct Trained : CliWorkspace {
  std::string best = path("run/best.safetensors");
  Trained() { check_done(run_glia(train("run", 1))); }
};

}  // namespace

TEST_CASE("program: the commands that hand on have help with an example", "[cli]") {
  for (const char* command :
       {"explain", "export", "export-weights", "import-weights", "model-card"}) {
    const Outcome outcome = run_glia({command, "--help"});
    CAPTURE(command, outcome.output);
    CHECK(outcome.code == 0);
    CHECK(outcome.output.find(std::string("Example:\n  glia ") + command) != std::string::npos);
  }
}

TEST_CASE("program: explain writes a map a method, of the image's own size", "[cli]") {
  const Trained w;
  const std::vector<float> image(37 * 21 * 3, 0.5f);
  write_npy<float>(w.path("odd.npy"), {37, 21, 3}, image);
  const std::string out = w.path("why");
  check_done(run_glia({"explain", "--checkpoint", w.best, "--input", w.path("odd.npy"), "--out",
                       out, "--target", "image", "--patch", "16", "--stride", "16"}));
  const auto json = nlohmann::json::parse(read_file(out + "/explain.json"));
  REQUIRE(json["slices"].size() == 1);
  CHECK(json["slices"][0]["pixels"] == 37 * 21);
  for (const char* method : {"grad-cam", "saliency", "occlusion", "mc-dropout", "flips"}) {
    CAPTURE(method);
    const auto map = read_npy(fs::path(out) / ("odd_" + std::string(method) + ".npy"));
    CHECK(map.info.shape == std::vector<std::int64_t>{37, 21});
    CHECK(fs::file_size(fs::path(out) / ("odd_" + std::string(method) + ".png")) > 0);
    const auto& noted = json["slices"][0]["maps"][method];
    CHECK(noted["maximum"].get<float>() == *std::max_element(map.values.begin(), map.values.end()));
  }
  CHECK(fs::exists(out + "/odd_explain.png"));
  const std::string page = read_file(out + "/report.html");
  CHECK(page.find("Grad-CAM: where bottleneck speaks for the image") != std::string::npos);
  CHECK(page.find("It is not a medical device") != std::string::npos);

  const auto explain = [&](const std::string& flag, const std::string& value) {
    return run_glia({"explain", "--checkpoint", w.best, "--input", w.path("odd.npy"), "--out", out,
                     "--target", "image", flag, value});
  };
  check_refused(explain("--layer", "encoder.9"),
                "--layer: found 'encoder.9', this network has: "
                "encoder.0, encoder.1, bottleneck");
  check_refused(explain("--samples", "1"), "--samples: found 1");
  check_refused(explain("--stride", "99"), "--stride 99");
  CHECK(explain("--methods", "magic").code == 2);
  check_refused(run_glia({"explain", "--checkpoint", w.best, "--input", w.path("odd.npy"), "--out",
                          out, "--overwrite", "--target", "truth"}),
                "--target truth: found no mask");
}

TEST_CASE("program: explain says so where nothing is predicted", "[cli]") {
  const Trained w;
  const std::vector<float> image(16 * 16 * 3, 0.0f);
  write_npy<float>(w.path("black.npy"), {16, 16, 3}, image);
  const Outcome outcome =
      run_glia({"explain", "--checkpoint", w.best, "--input", w.path("black.npy"), "--out",
                w.path("why"), "--threshold", "0.999999", "--methods", "saliency,flips"});
  check_done(outcome);
  CHECK(outcome.output.find("black: nothing to explain, the prediction is empty") !=
        std::string::npos);
  CHECK(!fs::exists(w.path("why/black_saliency.npy")));
  CHECK(fs::exists(w.path("why/black_flips.npy")));
}

TEST_CASE("program: steps on the mask change it and nothing else", "[cli]") {
  const Trained w;
  const auto predict = [&](const std::string& out, std::vector<std::string> flags) {
    std::vector<std::string> arguments = {
        "predict", "--checkpoint", w.best, "--input", w.path("slices"),
        "--npy",   "--threshold",  "0.3",  "--out",   w.path(out)};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    check_done(run_glia(arguments));
  };
  predict("plain", {});
  predict("none", {"--min-size", "0"});
  predict("all-gone", {"--min-size", "2000"});  // more than the 32 x 32 pixels of a slice
  predict("flips", {"--flips"});
  bool flips_differ = false;
  int slices = 0;
  for (const auto& entry : fs::directory_iterator(w.path("plain"))) {
    const std::string name = entry.path().filename().string();
    const auto bytes = [&](const char* out) { return read_file(fs::path(w.path(out)) / name); };
    CHECK(bytes("plain") == bytes("none"));
    if (!name.ends_with("_probability.npy")) continue;
    ++slices;
    CHECK(bytes("plain") == bytes("all-gone"));
    flips_differ = flips_differ || bytes("plain") != bytes("flips");
    const std::string id = name.substr(0, name.find('_'));
    const auto mask = [&](const char* out) {
      return read_file(fs::path(w.path(out)) / (id + "_mask.png"));
    };
    CHECK(mask("all-gone") == read_file(w.path("all-gone/0_mask.png")));  // all are empty
  }
  CHECK(slices == 20);
  CHECK(flips_differ);
  CHECK(run_glia({"predict", "--min-size", "-1"}).code == 2);
}

TEST_CASE("program: the table of steps has a row for each, on and off", "[cli]") {
  const Trained w;
  const auto evaluate = [&](std::vector<std::string> flags) {
    std::vector<std::string> arguments = {"evaluate",       "--checkpoint", w.best, "--data",
                                          w.path("slices"), "--threshold",  "0.3",  "--json",
                                          w.path("e.json"), "--overwrite"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const Outcome outcome = run_glia(arguments);
    check_done(outcome);
    return std::pair(outcome.output, nlohmann::json::parse(read_file(w.path("e.json"))));
  };
  const auto [text, json] = evaluate({"--inference-table", "--min-size", "7"});
  const auto& table = json["inference_table"];
  REQUIRE(table.size() == 6);
  const std::vector<std::string> names = {
      "none",         "flips",      "fill-holes",
      "keep-largest", "min-size 7", "flips, fill-holes, keep-largest, min-size 7"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(table[i]["name"] == names[i]);
    CHECK(text.find("\n" + names[i]) != std::string::npos);
  }
  std::istringstream lines(text.substr(text.find("means over patients")));
  for (std::string line; std::getline(lines, line) && !line.empty();) {
    CAPTURE(line);
    CHECK(line.size() < 80);
    if (line.starts_with("false positive:")) break;
  }
  CHECK(json["inference"]["min_size"] == 7);
  // What was chosen is what the table has for it; nothing chosen is the plain evaluation.
  CHECK(json["per_patient"]["dice"]["mean"] == table[4]["per_patient"]["dice"]["mean"]);
  const auto plain = evaluate({}).second;
  CHECK(!plain.contains("inference_table"));
  CHECK(plain["pixels"] == table[0]["pixels"]);
  const auto flips = evaluate({"--flips"}).second;
  CHECK(flips["pixels"] == table[1]["pixels"]);
  CHECK(flips["batch_iou"] != plain["batch_iou"]);
}

TEST_CASE("program: weights there and back predict the same", "[cli]") {
  const Trained w;
  check_done(run_glia({"export-weights", "--checkpoint", w.best, "--out", w.path("w.st")}));
  check_done(run_glia({"import-weights", "--weights", w.path("w.st"), "--out", w.path("i.st")}));
  for (const char* out : {"a", "b"})
    check_done(run_glia({"predict", "--checkpoint", *out == 'a' ? w.best : w.path("i.st"),
                         "--input", w.path("slices/0_img.npy"), "--npy", "--out", w.path(out)}));
  CHECK(read_file(w.path("a/0_probability.npy")) == read_file(w.path("b/0_probability.npy")));

  check_refused(run_glia({"import-weights", "--weights", w.best, "--out", w.path("x.st")}),
                "is a checkpoint of Glia already");
  check_refused(run_glia({"evaluate", "--checkpoint", w.path("w.st"), "--data", w.path("slices")}),
                "without Glia's metadata");
  check_refused(run_glia({"train", "--resume", w.path("i.st")}), "name the folder of the run");
}

TEST_CASE("program: export writes one file, whole or not at all", "[cli]") {
  const Trained w;
  check_done(run_glia({"export", "--checkpoint", w.best, "--onnx", w.path("net.onnx")}));
  CHECK(fs::file_size(w.path("net.onnx")) > 1000);
  check_refused(run_glia({"export", "--checkpoint", w.best, "--onnx", w.path("no/net.onnx")}),
                "no/net.onnx: cannot write");
}

TEST_CASE("program: a model card knows its run, its evaluation and nothing of others", "[cli]") {
  const Trained w;
  check_done(run_glia({"evaluate", "--checkpoint", w.best, "--data", w.path("slices"), "--list",
                       w.path("split/val.txt"), "--json", w.path("e.json")}));
  check_done(
      run_glia({"model-card", "--checkpoint", w.best, "--evaluation", w.path("e.json"), "--data",
                w.path("slices"), "--limit", "Only phantoms.", "--out", w.path("card.md")}));
  const std::string card = read_file(w.path("card.md"));
  CAPTURE(card);
  for (const char* part :
       {"not a medical device", "| base_width | 4 |", "| loss | iou |", "| id/20 |",
        "over 20 slices", "| dice |", "- Only phantoms.", "validation slices"})
    CHECK(card.find(part) != std::string::npos);
  CHECK(card.find("not recorded") == std::string::npos);
  const std::string last = w.path("run/last.safetensors");
  check_refused(run_glia({"model-card", "--checkpoint", last, "--evaluation", w.path("e.json"),
                          "--overwrite", "--out", w.path("card.md")}),
                "is the evaluation of another checkpoint");
  check_refused(run_glia({"model-card", "--checkpoint", w.best, "--evaluation", w.best,
                          "--overwrite", "--out", w.path("card.md")}),
                "is no evaluation");
  CHECK(read_file(w.path("card.md")) == card);
}

TEST_CASE("program: a model card has the settings of its optimizer and schedule, and no others",
          "[cli]") {
  const CliWorkspace w;
  const auto card_of = [&](const std::string& name, const std::vector<std::string>& flags) {
    std::vector<std::string> words = w.train(name, 1);
    words.insert(words.end(), flags.begin(), flags.end());
    check_done(run_glia(words));
    check_done(run_glia({"model-card", "--checkpoint", w.path(name + "/best.safetensors"), "--out",
                         w.path(name + ".md")}));
    std::vector<std::string> names;
    const std::string card = read_file(w.path(name + ".md"));
    for (const char* setting :
         {"optimizer kind", "optimizer beta1", "optimizer beta2", "optimizer momentum",
          "optimizer nesterov", "optimizer alpha", "optimizer epsilon", "schedule factor",
          "schedule every", "schedule patience", "schedule minimum"})
      if (card.find("| " + std::string(setting) + " |") != std::string::npos)
        names.emplace_back(setting);
    return names;
  };
  using Names = std::vector<std::string>;
  CHECK(card_of("adam", {}) ==
        Names{"optimizer kind", "optimizer beta1", "optimizer beta2", "optimizer epsilon"});
  CHECK(card_of("sgd", {"--optimizer", "sgd", "--schedule", "cosine"}) ==
        Names{"optimizer kind", "optimizer momentum", "optimizer nesterov", "schedule minimum"});
  CHECK(card_of("rmsprop", {"--optimizer", "rmsprop", "--schedule", "step"}) ==
        Names{"optimizer kind", "optimizer alpha", "optimizer epsilon", "schedule factor",
              "schedule every"});
  // And the flag changes what is trained.
  check_done(run_glia([&] {
    std::vector<std::string> words = w.train("nesterov", 1);
    words.insert(words.end(), {"--optimizer", "sgd", "--schedule", "cosine", "--nesterov"});
    return words;
  }()));
  const auto weights = [&](const std::string& run) {
    const SafeTensors file = read_safetensors(w.path(run + "/last.safetensors"));
    const std::span<const float> values = file.entries.front().values;
    return std::vector<float>(values.begin(), values.end());
  };
  CHECK(weights("nesterov") != weights("sgd"));
}

TEST_CASE("program: a file that explain cannot take does not stop the others", "[cli]") {
  const Trained w;
  const fs::path mixed = w.path("mixed");
  fs::create_directories(mixed);
  const std::vector<float> image(20 * 16 * 3, 0.5f);
  write_npy<float>(mixed / "a.npy", {20, 16, 3}, image);
  write_npy<float>(mixed / "grey.npy", {20, 16, 1}, std::vector<float>(20 * 16, 0.5f));
  write_npy<float>(mixed / "z.npy", {20, 16, 3}, image);
  write_file_atomically(mixed / "broken.png", "no picture at all");
  const auto explain = [&](const std::string& input, const std::string& out) {
    return run_glia({"explain", "--checkpoint", w.best, "--input", input, "--out", w.path(out),
                     "--methods", "saliency,flips", "--target", "image"});
  };
  const Outcome outcome = explain(mixed.string(), "why");
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, "2 slices explained in"));
  CHECK(contains(outcome, "explain: 2 of 4 files could not be explained:"));
  CHECK(contains(outcome, "broken.png: "));
  CHECK(contains(outcome, "grey.npy: the image has 1 channels, the network expects 3"));
  for (const char* name : {"a_explain.png", "z_explain.png", "z_flips.npy", "report.html"})
    CHECK(fs::exists(fs::path(w.path("why")) / name));
  CHECK(nlohmann::json::parse(read_file(w.path("why/explain.json")))["slices"].size() == 2);

  // Alone it is refused and leaves nothing; a setting that no image suits stops at once.
  check_refused(explain((mixed / "grey.npy").string(), "none"), "grey.npy: the image has 1");
  check_refused(run_glia({"explain", "--checkpoint", w.best, "--input", mixed.string(), "--out",
                          w.path("none"), "--layer", "encoder.9"}),
                "glia: --layer: found 'encoder.9'");
  CHECK(!fs::exists(w.path("none")));
}
