// Commands whose output would take the place of what they read, or of files of another kind.
#include <algorithm>
#include <filesystem>

#include "engine/base/file.h"
#include "tests/cli/advice.h"
#include "tests/cli/pictures.h"

using namespace glia;
using namespace glia::advice;

namespace {

namespace fs = std::filesystem;

/// Names and contents of all files below a folder.
std::vector<std::string> contents(const fs::path& folder) {
  std::vector<std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) all.push_back(entry.path().string() + read_file(entry.path()));
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

TEST_CASE("outputs: a file that is read, or of another kind, is not replaced", "[cli]") {
  const Network w;
  fs::copy(w.path("run/best.safetensors"), w.path("b.st"));
  fs::create_symlink("b.st", w.path("link.st"));
  fs::copy(w.path("split/val.txt"), w.path("list.txt"));
  const std::string checkpoint = w.path("b.st"), link = w.path("link.st"),
                    slices = w.path("slices"), list = w.path("list.txt");
  const std::string image = w.path("slices/0_img.npy");
  works({"evaluate", "--checkpoint", checkpoint, "--data", slices, "--json", w.path("e.json")});
  works({"export-weights", "--checkpoint", checkpoint, "--out", w.path("w.st")});
  const Words evaluate = {"evaluate", "--checkpoint", checkpoint, "--data", slices};
  struct Refused {
    Words words;
    std::string flag, out, text;
  };
  const std::string same = ": is the file that ",
                    within = ": is there already, among the files of ",
                    other = ": a safetensors file is there, and would be replaced by ",
                    of_run = ": is a file of the run in that folder; choose another name";
  const std::vector<Refused> cases = {
      {{"model-card", "--checkpoint", checkpoint},
       "--out",
       checkpoint,
       same + "--checkpoint reads"},
      {{"model-card", "--checkpoint", checkpoint}, "--out", link, same + "--checkpoint reads"},
      {{"model-card", "--checkpoint", checkpoint, "--evaluation", w.path("e.json")},
       "--out",
       w.path("e.json"),
       same + "--evaluation reads"},
      {{"export", "--checkpoint", checkpoint}, "--onnx", checkpoint, same + "--checkpoint reads"},
      {{"export", "--checkpoint", checkpoint}, "--onnx", w.path("w.st"), other + "an ONNX file"},
      {{"export-weights", "--checkpoint", checkpoint}, "--out", checkpoint, same},
      {{"export-weights", "--checkpoint", checkpoint}, "--out", w.path("e.json"), ": a JSON file"},
      {{"import-weights", "--weights", w.path("w.st")}, "--out", w.path("w.st"), same},
      {{"import-weights", "--weights", w.path("w.st"), "--like", checkpoint},
       "--out",
       checkpoint,
       same + "--like reads"},
      {{"export-weights", "--checkpoint", checkpoint},
       "--out",
       w.path("run/last.safetensors"),
       of_run},
      {{"import-weights", "--weights", w.path("w.st"), "--like", checkpoint},
       "--out",
       w.path("run/best.safetensors"),
       of_run},
      {{"model-card", "--checkpoint", checkpoint}, "--out", w.path("run/report.html"), of_run},
      {evaluate, "--out", w.path("run"), ": holds a run, whose files could be replaced"},
      {evaluate, "--json", checkpoint, same + "--checkpoint reads"},
      {with(evaluate, {"--list", list}), "--json", list, same + "--list reads"},
      {evaluate, "--json", w.path("w.st"), other + "a JSON file"},
      {evaluate, "--json", image, within + "--data"},
      {{"check-data", "--data", slices}, "--json", image, within + "--data"},
      {{"check-data", "--data", slices}, "--json", checkpoint, other + "a JSON file"},
      {{"check-data", "--data", slices, "--split", w.path("split")},
       "--json",
       w.path("split/manifest.json"),
       within + "--split"}};
  const auto before = contents(w.path(""));
  for (const Refused& one : cases) {
    refused(with(one.words, {one.flag, one.out}), one.flag + " " + one.out + one.text);
    CHECK(before == contents(w.path("")));
  }
  // As the messages advise: another name, or the file removed first; and the same once more.
  for (const Refused& one : cases) {
    const std::string elsewhere = w.path("elsewhere");
    fs::remove_all(elsewhere);
    works(with(one.words, {one.flag, elsewhere}));
    works(with(one.words, {one.flag, elsewhere}));
  }
  const Words card = {"model-card", "--checkpoint", checkpoint, "--out"};
  refused(with(card, {w.path("manifest.csv")}), ": is the name of a file that data folders are");
  refused(with(card, {w.path("7_img.npy")}), ": is the name of a file that data folders are");
  write_file_atomically(w.path("notes.html"), "mine");
  refused(with(card, {w.path("notes.html")}),
          ": another file is there, which a Markdown file would replace; choose a name that ends "
          "in .md, or remove it first");
  works(with(card, {w.path("card.md")}));
  works(with(card, {w.path("card.md")}));
  fs::remove(w.path("notes.html"));
  works(with(card, {w.path("notes.html")}));
  fs::remove(w.path("w.st"));
  works({"export", "--checkpoint", checkpoint, "--onnx", w.path("w.st")});
  // A link that the user named stays one.
  fs::create_symlink("target.onnx", w.path("link.onnx"));
  write_file_atomically(w.path("target.onnx"), "");
  works({"export", "--checkpoint", checkpoint, "--onnx", w.path("link.onnx")});
  CHECK(fs::is_symlink(w.path("link.onnx")));
  CHECK(fs::file_size(w.path("target.onnx")) > 1000);
}

TEST_CASE("outputs: a folder that holds inputs, or lies among them, is not written into", "[cli]") {
  const Network w;
  const Pictures pictures(2);
  const std::string data = pictures.path("data"), picture = pictures.path("data/p0/s0.png");
  fs::create_directory_symlink("data", pictures.path("link"));
  const auto before = contents(data);
  struct Refused {
    std::string input, out, text;
  };
  const std::string end = "; files there could be replaced: choose a folder of its own";
  for (const char* command : {"predict", "explain"}) {
    const auto words = [&](const std::string& input, const std::string& out) {
      return Words{command,   "--checkpoint", w.path("run/best.safetensors"),
                   "--input", input,          "--take-channels",
                   "0,0,0",   "--out",        out};
    };
    for (const Refused& one : std::vector<Refused>{
             {data, data, ": is the folder of --input " + data},
             {data + "/", pictures.path("link"), ": is the folder of --input " + data + "/"},
             {data, pictures.path("data/p0/new"), ": lies in --input " + data},
             {data, pictures.path("data/.."), ": holds --input " + data},
             {picture, pictures.path("data/p0"), ": holds the file of --input " + picture}}) {
      refused(words(one.input, one.out), "--out " + one.out + one.text + end);
      CHECK(before == contents(data));
    }
    for (const std::string& input : {data, picture}) works(words(input, pictures.path(command)));
  }
  const std::string slices = w.path("slices"), best = w.path("run/best.safetensors");
  const Words evaluate = {"evaluate", "--checkpoint", best, "--data", slices, "--out"};
  refused(with(evaluate, {slices}), "--out " + slices + ": is the folder of --data " + slices);
  refused(with(evaluate, {w.path("run")}), ": holds the file of --checkpoint " + best);
  works(with(evaluate, {w.path("run/evaluation")}));
  refused({"explain", "--checkpoint", best, "--input", slices, "--out", w.path("run")},
          ": holds the file of --checkpoint " + best);
  const Words split = {"split", "--data", slices, "--overwrite", "--out"};
  refused(with(split, {slices}), ": is the folder of --data; choose a folder of its own");
  works(with(split, {w.path("split")}));
}
