// Messages that say a thing once, name its cause and are safe to print.
#include <signal.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/formats/npy.h"
#include "engine/formats/safetensors.h"
#include "tests/cli/advice.h"
#include "tests/cli/pictures.h"

using namespace glia;
using namespace glia::advice;

namespace {

namespace fs = std::filesystem;

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
    ++found;
  return found;
}

/// Changes what a checkpoint says of itself.
void forge(const std::string& path, const std::function<void(nlohmann::json&)>& change) {
  SafeTensors file = read_safetensors(path);
  auto info = nlohmann::json::parse(file.metadata.at("glia"));
  change(info);
  file.metadata["glia"] = info.dump();
  file.metadata.erase("xxh3");
  write_safetensors(path, file.entries, file.metadata);
}

}  // namespace

TEST_CASE("messages: a checkpoint is named once, and weights lead to import-weights",
          "[cli][advice]") {
  const Network w;
  const std::string best = w.path("run/best.safetensors"), last = w.path("run/last.safetensors"),
                    weights = w.path("weights.safetensors"), mended = w.path("mended.safetensors");
  works({"export-weights", "--checkpoint", best, "--out", weights});
  const Outcome told = run_glia({"predict", "--checkpoint", weights, "--input",
                                 w.path("slices/0_img.npy"), "--out", w.path("out")});
  CAPTURE(told.output);
  CHECK(told.code == 1);
  CHECK(contains(told, "it is made by: glia import-weights --weights " + weights + " --out "));
  works({"import-weights", "--weights", weights, "--out", mended});
  works({"predict", "--checkpoint", mended, "--input", w.path("slices/0_img.npy"), "--out",
         w.path("out")});

  SafeTensors file = read_safetensors(last);
  file.entries.erase(file.entries.begin());
  file.metadata.erase("xxh3");
  write_safetensors(last, file.entries, file.metadata);
  const Outcome damaged = run_glia({"train", "--resume", w.path("run")});
  CAPTURE(damaged.output);
  CHECK(damaged.code == 1);
  CHECK(count(damaged.output, last) == 1);

  works(with(w.train("normal", 1), {"--normalize", "dataset"}));
  const std::string normal = w.path("normal/best.safetensors");
  forge(normal, [](nlohmann::json& info) {
    for (const char* key : {"mean", "std"}) info["preprocess"][key] = {0.5, 0.5};
  });
  refused({"export", "--checkpoint", normal, "--onnx", w.path("net.onnx")},
          normal + ": preprocessing: 2 means for a network of 3 channels");
  CHECK_FALSE(fs::exists(w.path("net.onnx")));
}

TEST_CASE("messages: flags that contradict each other, and values beyond float32, are named",
          "[cli]") {
  const CliWorkspace w;
  const std::string list = w.path("split/train.txt");
  refused(with(w.train("run"), {"--train-list", list}),
          "--split and --train-list cannot both say what is trained on; leave one of them out");
  works(w.train("run", 1));
  refused(with(w.train("heavy", 1), {"--weight-decay", "1e39"}),
          "--weight-decay: found 1e+39, expected 0 or more, within the range of float32");
  const Outcome escape = run_glia(with(w.train("again", 1), {"--max-steps", "\x1b[31mred"}));
  CAPTURE(escape.output);
  CHECK(escape.code == 2);
  CHECK(escape.output.starts_with("glia train: "));
  CHECK(contains(escape, "\\x1B[31mred"));
  CHECK_FALSE(contains(escape, "\x1b"));
}

TEST_CASE("messages: pictures are treated as flags say, and told apart by their folders", "[cli]") {
  const Network w;
  const Pictures pictures(1);
  const std::string picture = pictures.path("data/p0/s0.png");
  const Outcome chosen = run_glia(w.on("predict", picture, "chosen", {"--take-channels", "0,0,0"}));
  CAPTURE(chosen.output);
  CHECK(chosen.code == 0);
  CHECK(contains(chosen, "pictures are treated as the flags say, and else as glia import did"));
  for (const char* folder : {"one", "two"}) write_image(w.path(folder + std::string("/x.npy")), 1);
  const Outcome both = run_glia({"predict", "--checkpoint", w.path("run/best.safetensors"),
                                 "--input", w.path("one"), w.path("two"), "--out", w.path("out")});
  CAPTURE(both.output);
  CHECK(both.code == 0);
  CHECK(fs::exists(w.path("out/x_mask.png")));
  CHECK(fs::exists(w.path("out/two_x_mask.png")));
}

TEST_CASE("messages: a mask that cannot be used is named before the first step", "[cli]") {
  const CliWorkspace w;
  const std::string list = read_file(w.path("split/train.txt"));
  const std::string mask = w.path("slices/" + list.substr(0, list.find('\n')) + "_seg.npy");
  std::vector<float> values(32 * 32);
  values[7] = NAN;
  write_npy<float>(mask, {32, 32}, values);
  // Of which an epoch leaves out all but a few.
  const Outcome told = run_glia(with(w.train("run", 1), {"--max-steps", "1"}));
  CAPTURE(told.output);
  CHECK(told.code == 1);
  CHECK(contains(told, mask + ": holds the label values 0 and NaN; expected 0 and 1"));
  CHECK_FALSE(fs::exists(w.path("run")));
}

TEST_CASE("messages: a run that lost its last checkpoint loses nothing more", "[cli][advice]") {
  const CliWorkspace w;
  works(w.train("run", 1));
  fs::rename(w.path("run/last.safetensors"), w.path("kept"));
  const std::string best = read_file(w.path("run/best.safetensors"));
  refused(
      {"train", "--resume", w.path("run")},
      "run: its last.safetensors is gone, and no run goes on without it; take it from a copy of "
      "the run, or start a new one in another folder");
  refused(w.train("run", 1),
          "run: holds a run whose last.safetensors is gone, and what it has "
          "trained would be removed; choose another --out");
  CHECK(read_file(w.path("run/best.safetensors")) == best);
  works(w.train("other", 1));
  fs::rename(w.path("kept"), w.path("run/last.safetensors"));
  works({"train", "--resume", w.path("run"), "--epochs", "2", "--threads", "1"});
}

TEST_CASE("phantom: a stopped one leaves nothing", "[cli]") {
  const TempFolder folder;
  const std::string out = (folder.path() / "slices").string();
  for (const int signal : {SIGINT, SIGTERM}) {
    const Outcome stopped = signal_glia(
        {"phantom", "--out", out, "--patients", "2000", "--slices", "20", "--threads", "1"}, signal,
        [&] { return !fs::is_empty(folder.path()); });
    CAPTURE(stopped.output);
    CHECK(stopped.code == 130);
    CHECK(contains(stopped, " of 2000 patients; nothing was written"));
    CHECK(fs::is_empty(folder.path()));
  }
}
