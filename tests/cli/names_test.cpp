// Names that are no UTF-8, through every command: folders work, and files whose names would become
// ids are refused by name.
#include <fmt/format.h>

#include <filesystem>

#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/base/walk.h"
#include "tests/cli/workspace.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;

const std::string kOdd = "a\xFF\\x41 b";

/// Every text file that the program writes for others is UTF-8.
void check_texts(const fs::path& folder) {
  int seen = 0;
  walk_files(
      folder,
      [&](const fs::path& file) {
        for (const char* ending : {".json", ".jsonl", ".html", ".csv", ".md", ".svg"})
          if (file.extension() == ending) {
            ++seen;
            CAPTURE(printable(file.string()));
            CHECK(is_utf8(read_file(file)));
          }
      },
      [](const fs::path&) {});
  CHECK(seen > 10);
}

/// One line that names the file with its byte written out, and nothing left behind.
void check_refused(const Outcome& outcome, const fs::path& out) {
  CAPTURE(printable(outcome.output));
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, "a\\xFF"));
  CHECK(contains(outcome, "is no UTF-8"));
  CHECK_FALSE(fs::exists(out));
}

}  // namespace

TEST_CASE("program: folders whose names are no UTF-8 work in every command", "[cli]") {
  const TempFolder folder;
  const auto path = [&](const std::string& name) {
    return (folder.path() / (name + kOdd)).string();
  };
  const auto works = [](const std::vector<std::string>& words) {
    const Outcome outcome = run_glia(words);
    CAPTURE(words[0], printable(outcome.output));
    CHECK(outcome.code == 0);
  };
  const std::string data = path("slices"), split = path("split"), run = path("run"),
                    best = run + "/best.safetensors", table = path("table") + ".csv";
  works({"phantom", "--out", data, "--patients", "4", "--slices", "5", "--size", "16"});
  std::string rows = "id,group\n";
  for (int id = 0; id < 200; ++id) rows += fmt::format("{},p{}\n", id, id / 20);
  write_file_atomically(table, rows);
  works({"split", "--data", data, "--out", split, "--group-by", "csv:" + table});
  works({"check-data", "--data", data, "--split", split, "--json", path("report") + ".json"});
  const std::vector<std::string> small = {"--data",  data, "--split",  split, "--base-width", "4",
                                          "--depth", "2",  "--device", "cpu", "--threads",    "1"};
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.end(), small.begin(), small.end());
    return words;
  };
  works(with({"train", "--out", run, "--batch-size", "2", "--epochs", "1", "--tensorboard"}));
  works({"train", "--resume", run, "--epochs", "2", "--device", "cpu", "--threads", "1"});
  works({"evaluate", "--checkpoint", best, "--data", data, "--list", split + "/val.txt", "--out",
         path("evaluation"), "--device", "cpu"});
  const std::string evaluation = read_file(path("evaluation") + "/evaluation.json");
  CHECK(evaluation.find("patients") != std::string::npos);
  works({"predict", "--checkpoint", best, "--input", data, "--out", path("prediction"), "--device",
         "cpu"});
  works({"explain", "--checkpoint", best, "--input", data + "/21_img.npy", "--out",
         path("explanation"), "--device", "cpu"});
  works({"export", "--checkpoint", best, "--onnx", path("net") + ".onnx"});
  works({"export-weights", "--checkpoint", best, "--out", path("w") + ".safetensors"});
  works({"import-weights", "--weights", path("w") + ".safetensors", "--like", best, "--out",
         path("i") + ".safetensors"});
  works({"model-card", "--checkpoint", best, "--evaluation",
         path("evaluation") + "/evaluation.json", "--data", data, "--out", path("card") + ".md"});
  works(with(
      {"sweep", "--out", path("sweep"), "--batch-size", "2", "--seeds", "2", "--epochs", "1"}));
  works(with(
      {"sweep", "--out", path("sweep"), "--batch-size", "2", "--seeds", "2", "--epochs", "2"}));
  check_texts(folder.path());
  for (const auto& entry : fs::directory_iterator(folder.path()))
    CHECK_FALSE(entry.path().filename().string().starts_with('.'));
}

TEST_CASE("program: slices whose names are no UTF-8 are refused by name", "[cli]") {
  const CliWorkspace w(16);
  const fs::path data = w.path("slices");
  REQUIRE(run_glia(w.train("run", 1)).code == 0);
  const std::string best = w.path("run/best.safetensors");
  for (const char* kind : {"_img.npy", "_seg.npy"})
    fs::copy_file(data / fmt::format("21{}", kind), data / ("a\xFF" + std::string(kind)));
  check_refused(run_glia({"split", "--data", data, "--out", w.path("other")}), w.path("other"));
  check_refused(run_glia(w.train("second", 1)), w.path("second"));
  check_refused(run_glia({"check-data", "--data", data}), w.path("none"));
  check_refused(run_glia({"evaluate", "--checkpoint", best, "--data", data, "--out",
                          w.path("evaluation"), "--device", "cpu"}),
                w.path("evaluation"));
  check_refused(
      run_glia({"explain", "--checkpoint", best, "--input", (data / "a\xFF_img.npy").string(),
                "--out", w.path("explanation"), "--device", "cpu"}),
      w.path("explanation"));
  // The other pictures are predicted.
  const Outcome predicted = run_glia(
      {"predict", "--checkpoint", best, "--input", data, "--out", w.path("p"), "--device", "cpu"});
  CAPTURE(printable(predicted.output));
  CHECK(predicted.code == 1);
  CHECK(contains(predicted, "is no UTF-8"));
  CHECK(fs::exists(w.path("p") + "/21_mask.png"));
}

TEST_CASE("import: pictures in folders whose names are no UTF-8 are refused by name", "[cli]") {
  const CliWorkspace w(16);
  const fs::path pictures = w.path("pictures");
  make_folder(pictures / "a\xFF");
  const fs::path data = w.path("slices");
  fs::copy_file(data / "21_img.npy", pictures / "a\xFF" / "1.npy");
  fs::copy_file(data / "21_seg.npy", pictures / "a\xFF" / "1_mask.npy");
  check_refused(run_glia({"import", "--data", pictures, "--image-suffix", "", "--mask-suffix",
                          "_mask", "--out", w.path("slices2")}),
                w.path("slices2"));
}
