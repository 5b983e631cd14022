// Commands whose output would take the place of what they read, or of files of another kind.
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

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
    const Words words = with(one.words, {one.flag, elsewhere});
    works(words);
    refused(words, "add --overwrite to replace");
    works(with(words, {"--overwrite"}));
  }
  const Words card = {"model-card", "--checkpoint", checkpoint, "--out"};
  refused(with(card, {w.path("manifest.csv")}), ": is the name of a file that data folders are");
  refused(with(card, {w.path("7_img.npy")}), ": is the name of a file that data folders are");
  write_file_atomically(w.path("notes.html"), "mine");
  refused(with(card, {w.path("notes.html")}),
          ": another file is there, which a Markdown file would replace; choose a name that ends "
          "in .md, or remove it first");
  works(with(card, {w.path("card.md")}));
  refused(with(card, {w.path("card.md")}),
          "card.md: is there already; choose another name, or add --overwrite to replace it");
  works(with(card, {w.path("card.md"), "--overwrite"}));
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
    for (const std::string& input : {data, picture}) {
      works(words(input, pictures.path(command)));
      fs::remove_all(pictures.path(command));
    }
  }
  const std::string slices = w.path("slices"), best = w.path("run/best.safetensors");
  const Words evaluate = {"evaluate", "--checkpoint", best, "--data", slices, "--out"};
  refused(with(evaluate, {slices}), "--out " + slices + ": is the folder of --data " + slices);
  refused(with(evaluate, {w.path("run")}), ": holds the file of --checkpoint " + best);
  works(with(evaluate, {w.path("run/evaluation")}));
  refused({"explain", "--checkpoint", best, "--input", slices, "--out", w.path("run")},
          ": holds the file of --checkpoint " + best);
  const Words split = {"split", "--data", slices, "--overwrite", "--out"};
  refused(with(split, {slices}), ": is the folder of --data " + slices);
  for (const Words& words : {Words{"split", "--data", slices}, Words{"train", "--data", slices},
                             Words{"sweep", "--data", slices}}) {
    const Words all = words[0] == "split" ? words : with(words, {"--split", w.path("split")});
    refused(with(all, {"--out", w.path("slices/below")}),
            "--out " + w.path("slices/below") + ": lies in --data " + slices);
    CHECK_FALSE(fs::exists(w.path("slices/below")));
  }
  works(with(split, {w.path("split")}));
}

TEST_CASE("outputs: what lies under the names of files to be written is replaced when asked",
          "[cli][advice]") {
  const Network w;
  for (const char* name : {"in/a.npy", "in/b.npy"}) write_image(w.path(name), 1);
  const std::string out = w.path("out"), best = w.path("run/best.safetensors");
  const Words predict = w.once("predict", "in", "out"), explain = w.once("explain", "in", "out"),
              evaluate = {"evaluate",       "--checkpoint", best, "--data",
                          w.path("slices"), "--out",        out};
  struct Case {
    Words words;
    std::string name;  // of what lies there
    int files;         // that the command writes
  };
  for (const auto& [words, name, files] :
       {Case{predict, "b_mask.png", 9}, Case{predict, "sheet.png", 9},
        Case{with(predict, {"--masks-only"}), "a_mask.png", 2},
        Case{with(predict, {"--masks-only", "--npy"}), "b_probability.npy", 4},
        Case{with(explain, {"--methods", "flips"}), "a_flips.npy", 8},
        Case{with(explain, {"--methods", "flips"}), "report.html", 8},
        Case{evaluate, "slices.csv", 4}}) {
    CAPTURE(words, name);
    fs::remove_all(out);
    fs::create_directories(out);
    write_file_atomically(out + "/notes.txt", "mine");
    for (const bool is_link : {false, true}) {
      fs::remove(out + "/" + name);
      if (is_link)
        fs::create_symlink("nowhere", out + "/" + name);
      else
        write_file_atomically(out + "/" + name, "mine");
      const auto before = contents(w.path(""));
      refused(words,
              fmt::format("--out {}: holds 1 of the {} files to be written, first {}; choose "
                          "another folder, or add --overwrite to replace them",
                          out, files, name));
      CHECK(before == contents(w.path("")));
    }
    works(with(words, {"--overwrite"}));
    CHECK(fs::is_regular_file(fs::symlink_status(out + "/" + name)));
    CHECK(read_file(out + "/" + name) != "mine");
    CHECK(read_file(out + "/notes.txt") == "mine");
    refused(words, fmt::format("holds {} of the {} files to be written", files, files));
    Words elsewhere = words;
    *(std::find(elsewhere.begin(), elsewhere.end(), "--out") + 1) = w.path("elsewhere");
    works(elsewhere);
    fs::remove_all(w.path("elsewhere"));
  }
  // What is read is not replaced, whatever was asked for.
  refused(with(w.once("predict", "in", "in"), {"--overwrite"}), "is the folder of --input");
  // A file with a name of its own is no reason.
  const Words bench = {"bench",   "--device", "cpu",       "--op", "relu",  "--row-seconds", "0",
                       "--shape", "1x8x8x8",  "--samples", "1",    "--out", w.path("bench")};
  works(bench);
  refused(bench, "holds 3 of the 3 files to be written, first bench.json");
  works(with(bench, {"--overwrite"}));
}

TEST_CASE("outputs: a predict that was killed is given again as its refusal says",
          "[cli][advice]") {
  const Network w;
  for (int i = 0; i < 200; ++i) write_image(w.path(fmt::format("in/{}.npy", i)), 1);
  const Words predict = w.once("predict", "in", "out", {"--threads", "1"});
  const std::string first = w.path("out/0_mask.png");
  const Outcome killed = signal_glia(predict, SIGKILL, [&] { return fs::exists(first); });
  CHECK(killed.code == 128 + SIGKILL);
  refused(predict, "add --overwrite to replace them, as after a run of this command that did not");
  works(with(predict, {"--overwrite"}));
  works(w.once("predict", "in", "whole", {"--threads", "1"}));
  for (const auto& entry : fs::directory_iterator(w.path("whole")))
    CHECK(read_file(entry.path()) == read_file(w.path("out") / entry.path().filename()));
}

TEST_CASE("outputs: files that failed are given again with --overwrite, as predict and explain say",
          "[cli][advice]") {
  const Network w;
  write_image(w.path("in/a.npy"), 1);
  write_image(w.path("in/b.npy"), NAN);
  for (const char* command : {"predict", "explain"}) {
    Words words = w.once(command, "in", command);
    if (command == std::string("explain")) words.insert(words.end(), {"--methods", "flips"});
    refused(words,
            "Once they are mended, give the command again with --overwrite, or with another");
    write_image(w.path("in/b.npy"), 1);
    refused(words, "add --overwrite");
    works(with(words, {"--overwrite"}));
    write_image(w.path("in/b.npy"), NAN);
  }
}

TEST_CASE("outputs: a link that leads nowhere is named, or its target made", "[cli][advice]") {
  const Network w;
  const std::string link = w.path("link"), best = w.path("run/best.safetensors");
  fs::create_symlink("nowhere", link);
  write_image(w.path("one.npy"), 1);
  const Words evaluate = {"evaluate",       "--checkpoint", best, "--data",
                          w.path("slices"), "--out",        link};
  for (const Words& words : {w.once("predict", "one.npy", "link"),
                             w.once("explain", "one.npy", "link"), evaluate, w.train("link", 1)}) {
    CAPTURE(words);
    refused(words, "link: a link to nowhere, which is not there; make that folder, or remove the");
    CHECK(fs::is_symlink(link));
    CHECK_FALSE(fs::exists(w.path("nowhere")));
    fs::create_directory(w.path("nowhere"));
    works(words);
    fs::remove_all(w.path("nowhere"));
  }
  // A file is made where the link leads.
  works({"export", "--checkpoint", best, "--onnx", link});
  CHECK(fs::is_symlink(link));
  CHECK(fs::is_regular_file(w.path("nowhere")));
}

TEST_CASE("outputs: no list, table or checkpoint of the command is replaced, whatever the flag",
          "[cli]") {
  const Network w;
  const std::string checkpoint = w.path("run/best.safetensors"), slices = w.path("slices");
  const std::string list = read_file(w.path("split/val.txt"));
  fs::create_directory(w.path("out"));
  const fs::path out = w.path("out");
  const std::string id = list.substr(0, list.find('\n'));
  struct Case {
    std::string name;  // of an output that is an input too
    Words words;
  };
  const std::string mask = (out / (id + "_mask.png")).string();
  const std::vector<Case> cases = {
      {"slices.csv", {"evaluate", "--checkpoint", checkpoint, "--data", slices}},
      {id + "_mask.png",
       {"predict", "--checkpoint", checkpoint, "--input", slices, "--masks-only"}},
      {"explain.json", {"explain", "--checkpoint", checkpoint, "--input", slices}}};
  for (const Case& test : cases) {
    INFO(test.words.front());
    const fs::path file = out / test.name;
    write_file_atomically(file, list);
    const Words words = with(test.words, {"--overwrite", "--out", out.string(), "--list"});
    refused(with(words, {file.string()}), "--list");
    CHECK(read_file(file) == list);
    fs::remove(file);
    works(with(words, {w.path("split/val.txt")}));
    fs::remove_all(out);
    fs::create_directory(out);
  }
  fs::copy(checkpoint, mask);
  const std::string before = read_file(mask);
  refused({"predict", "--checkpoint", mask, "--input", slices, "--masks-only", "--overwrite",
           "--out", out.string()},
          "--checkpoint");
  CHECK(read_file(mask) == before);
  const std::string manifest = read_file(w.path("split/manifest.json"));
  refused({"evaluate", "--checkpoint", checkpoint, "--data", slices, "--list",
           w.path("split/val.txt"), "--json", w.path("split/manifest.json")},
          "is the file that --list reads");
  CHECK(read_file(w.path("split/manifest.json")) == manifest);
}

TEST_CASE("outputs: notes of another type in a split are refused by the file's name", "[cli]") {
  const Network w;
  auto manifest = nlohmann::json::parse(read_file(w.path("split/manifest.json")));
  for (const nlohmann::json& wrong : {nlohmann::json("no"), nlohmann::json(), nlohmann::json(-3)}) {
    manifest["leaking"] = wrong;
    write_file_atomically(w.path("split/manifest.json"), manifest.dump());
    const Outcome outcome = run_glia({"train", "--data", w.path("slices"), "--split",
                                      w.path("split"), "--out", w.path("again"), "--base-width",
                                      "4", "--depth", "2", "--epochs", "1", "--batch-size", "2"});
    CAPTURE(outcome.output);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome, "split/manifest.json"));
    CHECK(contains(outcome, "leaking"));
    CHECK_FALSE(contains(outcome, "json.exception"));
    CHECK_FALSE(fs::exists(w.path("again")));
  }
}

TEST_CASE("outputs: a place where nothing can be made is refused before the work", "[cli]") {
  const Network w;
  const std::string best = w.path("run/best.safetensors"), slices = w.path("slices");
  write_image(w.path("in/a.npy"), 1);
  write_file_atomically(w.path("file"), "mine");
  fs::create_symlink("nowhere", w.path("link"));
  const std::vector<std::pair<std::string, std::string>> places = {
      {w.path("file"), ": is a file; name a folder"},
      {w.path("file/below"), ": cannot create the folder: Not a directory; choose another place"},
      {"/proc/glia", ": cannot create the folder: No such file or directory; choose another place"},
      {"", ": found an empty text; leave the flag out, or give it a value"}};
  const std::vector<Words> into_folders = {
      {"predict", "--checkpoint", best, "--input", w.path("in/a.npy")},
      {"explain", "--checkpoint", best, "--input", w.path("in/a.npy")},
      {"evaluate", "--checkpoint", best, "--data", slices},
      {"bench", "--device", "cpu", "--op", "relu", "--shape", "1x8x8x8"},
      {"bench", "--ceilings"},
      {"train", "--data", slices, "--split", w.path("split")},
      {"sweep", "--data", slices, "--split", w.path("split")},
      {"split", "--data", slices},
      {"phantom"},
      {"import", "--data", w.path("in")}};
  const auto before = contents(w.path(""));
  for (const Words& words : into_folders)
    for (const auto& [place, text] : places) {
      const Outcome told = run_glia(with(words, {"--out", place}));
      CAPTURE(words, place, told.output);
      CHECK(told.code != 0);
      CHECK(contains(told, place.empty() ? "--out: " : "--out " + place));
      CHECK(contains(told, text));
      CHECK(std::count(told.output.begin(), told.output.end(), '\n') < 3);  // nothing was done
      CHECK(before == contents(w.path("")));
      CHECK_FALSE(fs::exists(w.path("nowhere")));
    }
  for (const auto& [words, flag] :
       {std::pair{Words{"evaluate", "--checkpoint", best, "--data", slices}, "--json"},
        std::pair{Words{"check-data", "--data", slices}, "--json"},
        std::pair{Words{"model-card", "--checkpoint", best}, "--out"},
        std::pair{Words{"export", "--checkpoint", best}, "--onnx"},
        std::pair{Words{"export-weights", "--checkpoint", best}, "--out"},
        std::pair{Words{"import-weights", "--weights", w.path("run/last.safetensors")}, "--out"}}) {
    const auto refuse = [&, &words = words, &flag = flag](const std::string& place,
                                                          const std::string& text) {
      const Outcome told = run_glia(with(words, {flag, place}));
      CAPTURE(words, place, told.output);
      CHECK(told.code != 0);
      CHECK(told.output.starts_with(fmt::format("glia: {} {}", flag, place)));
      CHECK(contains(told, text));
      CHECK(before == contents(w.path("")));
    };
    refuse(w.path("none/x"), "cannot write: No such file or directory; make the folder first");
    refuse(w.path("file/x"), "cannot write: Not a directory");
    refuse("/proc/x", "cannot write: No such file or directory");
    refuse(w.path("in"), ": is a folder; name a file");
  }
  // A folder of equal name is none that --overwrite replaces.
  fs::create_directories(w.path("out/a_mask.png"));
  refused(w.once("predict", "in/a.npy", "out", {"--overwrite"}),
          "out: a_mask.png is a folder there, and a file of that name is to be written");
}

TEST_CASE("outputs: files that appear meanwhile are not replaced unless asked", "[cli][advice]") {
  const Network w;
  for (int i = 0; i < 200; ++i) write_image(w.path(fmt::format("in/{}.npy", i)), 1);
  const auto started = [&] { return fs::exists(w.path("out/0_mask.png")); };
  const std::string late = w.path("out/99_mask.png");
  bool put = false;
  const auto put_one = [&] {
    if (!started() || put) return false;
    put = true;
    write_file_atomically(late, "mine");
    return false;
  };
  const Words predict = w.once("predict", "in", "out", {"--threads", "1"});
  const Outcome told = signal_glia(predict, SIGCONT, put_one);
  CAPTURE(told.output);
  CHECK(put);
  CHECK(told.code == 1);
  CHECK(contains(told, late + ": cannot write: File exists; another program made it meanwhile; "));
  CHECK(contains(told, "of the 801 files to be written lie in " + w.path("out") +
                           " now: give the command again with --overwrite, or with another --out"));
  CHECK(read_file(late) == "mine");
  works(with(predict, {"--overwrite"}));
  works(w.once("predict", "in", "elsewhere", {"--threads", "1"}));
  CHECK(read_file(late) != "mine");
}

TEST_CASE("outputs: what a full disk cuts short is given again as the message says",
          "[cli][advice]") {
  const Network w;
  const std::string best = w.path("run/best.safetensors"), slices = w.path("slices");
  for (int i = 0; i < 9; ++i) write_image(w.path(fmt::format("in/{}.npy", i)), 1);
  const Words evaluate = {"evaluate", "--checkpoint", best, "--data", slices, "--out"};
  works(with(evaluate, {w.path("whole")}));
  // A limit on the size of files stands for the full disk: the smaller files are written.
  const auto blocks = [&](const char* name) { return fs::file_size(w.path(name)) / 512 + 1; };
  const auto json = blocks("whole/evaluation.json");
  REQUIRE(json + 1 < blocks("whole/report.html"));
  for (const auto& [words, limit] :
       {std::pair{w.once("predict", "in", "p"), std::uintmax_t{1}},
        std::pair{w.once("explain", "in", "x", {"--methods", "flips", "--target", "image"}),
                  std::uintmax_t{4}},
        std::pair{with(evaluate, {w.path("e")}), json}}) {
    std::string line = fmt::format("trap '' XFSZ; ulimit -f {}; exec \"$GLIA\"", limit);
    for (const std::string& word : words) line += " " + word;
    const Outcome told = run_shell(line);
    CAPTURE(words, told.output);
    CHECK(told.code == 1);
    CHECK(contains(told, "cannot write: File too large"));
    CHECK(contains(told, "files to be written lie in"));
    CHECK(contains(told, " now: give the command again with --overwrite, or with another --out"));
    refused(words, "--overwrite");
    works(with(words, {"--overwrite"}));
  }
}
