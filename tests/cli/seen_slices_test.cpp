// An evaluation tells slices that were trained on by what they hold, not by their names.
#include <nlohmann/json.hpp>
#include <sstream>

#include "engine/base/file.h"
#include "engine/formats/safetensors.h"
#include "tests/cli/workspace.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

Words lines_in(const std::string& file) {
  std::istringstream text(read_file(file));
  Words lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

/// A network and what it was trained on.
class TrainedRun {
 public:
  TrainedRun() {
    REQUIRE(run_glia(slices_.train("run", 1)).code == 0);
    REQUIRE(run_glia({"phantom", "--out", path("others"), "--patients", "4", "--slices", "5",
                      "--size", "32", "--seed", "4"})
                .code == 0);
  }
  std::string path(const std::string& name) const { return slices_.path(name); }
  Words train_ids() const { return lines_in(path("split/train.txt")); }
  Words val_ids() const { return lines_in(path("split/val.txt")); }

  std::string evaluate(const std::string& data, const Words& more = {},
                       const std::string& patients = "id/20") const {
    Words words = {"evaluate", "--checkpoint", path("run/best.safetensors"),
                   "--data",   path(data),     "--group-by",
                   patients,   "--bootstrap",  "100"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = run_glia(words);
    CAPTURE(outcome.output);
    REQUIRE(outcome.code == 0);
    return outcome.output;
  }
  /// Copies slice `id` of a folder to `to` in the folder "mixed".
  void mix_in(const std::string& from, const std::string& id, const std::string& to) const {
    fs::create_directories(path("mixed"));
    for (const char* ending : {"_img.npy", "_seg.npy"})
      fs::copy_file(path(from + "/" + id + ending), path("mixed/" + to + ending));
  }

 private:
  CliWorkspace slices_;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("seen slices: a renamed copy is noticed, a namesake is not accused", "[cli]") {
  const TrainedRun w;
  const std::string trained = w.train_ids().front(), namesake = w.train_ids().back();
  w.mix_in("slices", trained, "copy");
  w.mix_in("others", namesake, namesake);
  w.mix_in("others", w.val_ids().front(), "777");
  const std::string mixed = w.evaluate("mixed", {}, "none");
  CAPTURE(mixed);
  CHECK(contains(mixed,
                 "the network was trained on 1 of these 3 slices, as the hashes of their "
                 "images say (under another name: copy is " +
                     trained + ");"));
  CHECK(contains(mixed,
                 "for 1 of these 3 slices the id is that of a slice that the network was "
                 "trained on, but the image is another"));
  CHECK_FALSE(contains(mixed, "best epoch"));
}

TEST_CASE("seen slices: other data whose ids are the same", "[cli]") {
  const TrainedRun w;
  const std::string others = w.evaluate("others"),
                    list = w.evaluate("others", {"--list", w.path("split/val.txt")});
  CAPTURE(others, list);
  CHECK_FALSE(contains(others, "the network was trained on "));
  CHECK(contains(others, fmt::format("for {} of these 20 slices the id is that of a slice",
                                     w.train_ids().size())));
  CHECK_FALSE(contains(list, "warning: these are the validation slices"));
}

TEST_CASE("seen slices: what was trained on and what chose, by hashes or else by ids", "[cli]") {
  const TrainedRun w;
  const std::size_t train = w.train_ids().size(), val = w.val_ids().size();
  const std::string all = w.evaluate("slices"),
                    list = w.evaluate("slices", {"--list", w.path("split/val.txt")});
  CAPTURE(all, list);
  CHECK(contains(all, fmt::format("the network was trained on {} of these 20 slices, as the hashes "
                                  "of their images say; the figures say nothing about new ones",
                                  train)));
  CHECK(contains(all, "the network was trained on slices of "));
  CHECK(contains(all, fmt::format("the best epoch was chosen by {} of these 20 slices", val)));
  CHECK_FALSE(contains(list, "the network was trained on "));
  CHECK(contains(list, "these are the validation slices, by which the best epoch was chosen"));

  // Hashes that are not those of the run say nothing; that they are damaged is said.
  const std::string hashes = w.path("run/split/files.xxh3"), kept = read_file(hashes);
  const std::string by_ids_say =
      fmt::format("the network was trained on {} of these 20 slices, as their ids say", train);
  for (const std::string& damaged : {std::string(), kept.substr(0, 40), "0" + kept.substr(1)}) {
    write_file_atomically(hashes, damaged);
    const std::string by_ids = w.evaluate("others");
    CAPTURE(by_ids);
    CHECK(contains(by_ids, by_ids_say + ";"));
    CHECK(
        contains(by_ids, "files.xxh3: damaged: it is not what the run wrote there; take it from"));
  }
  fs::remove(hashes);
  CHECK(contains(w.evaluate("others"), "files.xxh3: is missing; take it from a copy of the run"));
  write_file_atomically(hashes, kept);
  CHECK_FALSE(contains(w.evaluate("slices"), "files.xxh3"));

  // A checkpoint of a version that kept none.
  SafeTensors checkpoint = read_safetensors(w.path("run/best.safetensors"));
  auto info = nlohmann::json::parse(checkpoint.metadata.at("glia"));
  info.erase("files_hash");
  checkpoint.metadata["glia"] = info.dump();
  checkpoint.metadata.erase("xxh3");
  write_safetensors(w.path("run/best.safetensors"), checkpoint.entries, checkpoint.metadata);
  CHECK(contains(w.evaluate("others"), by_ids_say + " (the run kept no hashes of its files);"));
}
