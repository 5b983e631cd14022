// glia predict on what people have: folders of pictures, damaged ones among them, and pictures as
// they were before glia import.
#include <cmath>

#include "engine/base/file.h"
#include "engine/formats/npy.h"
#include "tests/cli/pictures.h"
#include "tests/cli/workspace.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;

std::vector<std::uint16_t> shades(int height, int width, int channels) {
  std::vector<std::uint16_t> pixels;
  for (int i = 0; i < height * width * channels; ++i)
    pixels.push_back(static_cast<std::uint16_t>(i * 37 % 256));
  return pixels;
}

std::string colour_picture(int height, int width) {
  return png_file({.height = height, .width = width, .channels = 3}, shades(height, width, 3));
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// A network for images of three channels, and pictures beside it.
class TrainedNetwork {
 public:
  TrainedNetwork() { REQUIRE(run_glia(slices_.train("run", 1)).code == 0); }

  Outcome predict(const std::vector<std::string>& more) const { return on("predict", more); }
  /// A command that takes a checkpoint.
  Outcome on(const std::string& command, const std::vector<std::string>& more) const {
    return run_glia(with({command, "--checkpoint", slices_.path("run/best.safetensors")}, more));
  }
  Outcome predict(const std::string& input, const std::string& out) const {
    return predict({"--input", pictures.path(input), "--out", pictures.path(out)});
  }

  Pictures pictures;

 private:
  CliWorkspace slices_;
};

}  // namespace

TEST_CASE("program: predict takes a folder of pictures, and a bad one does not stop the others",
          "[cli]") {
  const TrainedNetwork network;
  const Pictures& pictures = network.pictures;
  pictures.add("a.png", colour_picture(40, 24));
  pictures.add("a_mask.png", png_file({.height = 40, .width = 24}, shades(40, 24, 1)));
  pictures.add("deep/b.png", colour_picture(16, 33));
  pictures.add("deep/b.tif.png", colour_picture(8, 8));
  pictures.add("grey.png", png_file({.height = 20, .width = 20}, shades(20, 20, 1)));
  pictures.add("broken.png", colour_picture(16, 16).substr(0, 300));
  pictures.add("notes.txt", "no picture");
  write_npy<float>(pictures.path("data/hole.npy"), {2, 2, 3},
                   std::vector<float>{0, 1, NAN, 3, NAN, 5, 6, 7, 8, 9, 10, 11});

  const Outcome outcome = network.predict("data", "out");
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, "left alone: 1 files that are masks of others"));
  CHECK(contains(outcome, "3 slices written to"));
  CHECK(contains(outcome, "3 of 6 files could not be predicted"));
  CHECK(contains(outcome, "broken.png: "));
  CHECK(contains(outcome, "hole.npy: 2 of 12 values are NaN or infinite"));
  CHECK(contains(outcome, "grey.png: the image has 1 channels, the network expects 3"));
  const std::vector<std::string> kinds{"mask.png", "overlay.png", "probability.png",
                                       "triptych.png"};
  std::vector<std::string> expected{"sheet.png"};
  for (const std::string id : {"a", "b", "b.tif"})
    for (const std::string& kind : kinds) expected.push_back(id + "_" + kind);
  std::sort(expected.begin(), expected.end());
  CHECK(names_in(pictures.path("out")) == expected);

  // The advice of the grey one's message.
  CHECK(contains(outcome, "0,0,0 takes its one channel 3 times"));
  const Outcome advised = network.predict({"--input", pictures.path("data/grey.png"), "--out",
                                           pictures.path("grey"), "--take-channels", "0,0,0"});
  CAPTURE(advised.output);
  CHECK(advised.code == 0);

  // Alone, a bad one is refused and leaves nothing.
  for (const std::string name : {"broken.png", "hole.npy", "grey.png"}) {
    const Outcome refused = network.predict("data/" + name, "none");
    CHECK(refused.code == 1);
    CHECK(contains(refused, name + ": "));
    CHECK(!fs::exists(pictures.path("none")));
  }
  const Outcome nothing = network.predict("empty", "none");
  CHECK(nothing.code == 1);
  CHECK(contains(nothing, "empty: no such file or folder"));
}

TEST_CASE("program: predict writes the same files with any number of threads, or masks alone",
          "[cli]") {
  const TrainedNetwork network;
  const Pictures& pictures = network.pictures;
  for (int i = 0; i < 9; ++i)
    pictures.add("p" + std::to_string(i) + ".png", colour_picture(16 + i, 16));
  const auto run = [&](const std::string& out, std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--input", pictures.path("data"), "--out", pictures.path(out)});
    const Outcome outcome = network.predict(flags);
    CAPTURE(outcome.output);
    REQUIRE(outcome.code == 0);
  };
  run("one", {"--threads", "1"});
  run("three", {"--threads", "3"});
  run("masks", {"--masks-only"});
  const auto names = names_in(pictures.path("one"));
  CHECK(names.size() == 9 * 4 + 1);
  CHECK(names_in(pictures.path("three")) == names);
  for (const std::string& name : names)
    CHECK(read_file(pictures.path("one/" + name)) == read_file(pictures.path("three/" + name)));
  CHECK(names_in(pictures.path("masks")).size() == 9);
  CHECK(read_file(pictures.path("masks/p0_mask.png")) ==
        read_file(pictures.path("one/p0_mask.png")));
}

TEST_CASE("program: predict and explain say so when values overflow inside the network", "[cli]") {
  const TrainedNetwork network;
  write_npy<float>(network.pictures.path("bright.npy"), {16, 16, 3},
                   std::vector<float>(16 * 16 * 3, 3e38F));
  const Outcome outcome = network.predict("bright.npy", "out");
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, "bright.npy: "));
  CHECK(contains(outcome, "probabilities are NaN: values overflow inside the network"));
  CHECK(!fs::exists(network.pictures.path("out")));
  const Outcome explained =
      network.on("explain", {"--input", network.pictures.path("bright.npy"), "--out",
                             network.pictures.path("out"), "--methods", "flips"});
  CAPTURE(explained.output);
  CHECK(explained.code == 1);
  CHECK(contains(explained, "probabilities are NaN: values overflow inside the network"));
  CHECK(!fs::exists(network.pictures.path("out")));
}

TEST_CASE("program: predict treats a picture as the import before the training did", "[cli]") {
  const Pictures pictures(24);
  const auto flags = GENERATE(std::vector<std::string>{"--pad-to", "24x32"},
                              std::vector<std::string>{"--resize", "8x12", "--pad-to", "16x16"});
  CAPTURE(flags);
  std::vector<std::string> import = pictures.import();
  import.insert(import.end(), flags.begin(), flags.end());
  const auto done = [](const Outcome& outcome) {
    CAPTURE(outcome.output);
    REQUIRE(outcome.code == 0);
    return outcome;
  };
  done(run_glia(import));
  done(run_glia({"split", "--data", pictures.path("out"), "--out", pictures.path("split"),
                 "--group-by", "csv:" + pictures.path("out/manifest.csv")}));
  done(run_glia({"train", "--data", pictures.path("out"), "--split", pictures.path("split"),
                 "--out", pictures.path("run"), "--base-width", "4", "--depth", "2", "--epochs",
                 "1", "--threads", "1"}));
  const auto predict = [&](const std::string& input, const std::string& out) {
    return done(
        run_glia({"predict", "--checkpoint", pictures.path("run/best.safetensors"), "--input",
                  pictures.path(input), "--out", pictures.path(out), "--threads", "1", "--npy"}));
  };
  std::string stored;  // the first slice that import wrote
  for (const std::string& name : names_in(pictures.path("out")))
    if (stored.empty() && name.ends_with("_img.npy")) stored = name.substr(0, name.size() - 8);
  const std::string picture = "data/p0/" + stored.substr(stored.find('s')) + ".png";
  predict("out/" + stored + "_img.npy", "imported");
  const Outcome raw = predict(picture, "raw");
  CHECK(contains(raw, "pictures are treated as glia import did before the training"));
  const NpyArray of_import = read_npy(pictures.path("imported/" + stored + "_probability.npy"));
  const NpyArray of_picture =
      read_npy(pictures.path("raw/" + fs::path(picture).stem().string() + "_probability.npy"));
  CHECK(of_picture.info.shape == std::vector<std::int64_t>{16, 16});
  if (flags.size() > 2) return;
  for (int y = 0; y < 16; ++y)
    for (int x = 0; x < 16; ++x)
      REQUIRE(of_picture.values[y * 16 + x] == of_import.values[(y + 4) * 32 + x + 8]);
}

TEST_CASE("program: predict takes channels of .npy arrays as of pictures", "[cli]") {
  const TrainedNetwork network;
  const Pictures& pictures = network.pictures;
  std::vector<float> grey, thrice;
  for (int i = 0; i < 16 * 20; ++i) {
    grey.push_back(static_cast<float>(i * 37 % 256));
    thrice.insert(thrice.end(), 3, grey.back());
  }
  write_npy<float>(pictures.path("grey.npy"), {16, 20, 1}, grey);
  write_npy<float>(pictures.path("thrice.npy"), {16, 20, 3}, thrice);
  const auto predict = [&](const std::string& name, std::vector<std::string> more) {
    more.insert(more.end(), {"--npy", "--overwrite", "--input", pictures.path(name + ".npy"),
                             "--out", pictures.path("out")});
    const Outcome outcome = network.predict(more);
    CAPTURE(outcome.output);
    REQUIRE(outcome.code == 0);
    return read_file(pictures.path("out/" + name + "_probability.npy"));
  };
  CHECK(predict("grey", {"--take-channels", "0,0,0"}) == predict("thrice", {}));
  CHECK(predict("thrice", {"--take-channels", "2,0,1"}) == predict("thrice", {}));
  const Outcome none = network.predict({"--input", pictures.path("grey.npy"), "--out",
                                        pictures.path("none"), "--take-channels", "0,0,1"});
  CHECK(none.code == 1);
  CHECK(contains(none, "grey.npy: --take-channels 1: there are the channels 0 to 0"));
}

TEST_CASE("program: a folder with slices and pictures is predicted as a whole", "[cli]") {
  const TrainedNetwork network;
  const Pictures& pictures = network.pictures;
  const std::vector<float> image(16 * 16 * 3, 1);
  pictures.add("b.png", colour_picture(16, 16));
  write_npy<float>(pictures.path("data/a_img.npy"), {16, 16, 3}, image);
  for (const char* name : {"a_seg.npy", "b_seg.npy"})
    write_npy<std::uint8_t>(pictures.path(std::string("data/") + name), {16, 16},
                            std::vector<std::uint8_t>(16 * 16));
  pictures.add("a_mask.png", png_file({.height = 16, .width = 16}, shades(16, 16, 1)));
  pictures.add("deep/c.png", colour_picture(16, 16));
  const Outcome outcome = network.predict(
      {"--input", pictures.path("data"), "--out", pictures.path("out"), "--masks-only"});
  CAPTURE(outcome.output);
  CHECK(outcome.code == 0);
  CHECK(names_in(pictures.path("out")) ==
        std::vector<std::string>{"a_mask.png", "b_mask.png", "c_mask.png"});
  CHECK(contains(outcome, "left alone: 2 files that are masks of others"));
}

TEST_CASE("program: predict names pictures as import does, so that one list fits both", "[cli]") {
  const auto names = GENERATE(std::vector<std::string>{"p0/p0_0", "p0/p0_1", "p1/p1_0"},
                              std::vector<std::string>{"p0/0", "p0/1", "p1/0"});
  const TrainedNetwork network;
  const Pictures& pictures = network.pictures;
  for (std::size_t i = 0; i < names.size(); ++i)
    pictures.add_pair(names[i], static_cast<int>(3 * i));
  REQUIRE(run_glia(pictures.import(pictures.path("out"))).code == 0);
  std::string list;
  for (const std::string& name : names_in(pictures.path("out")))
    if (name.ends_with("_img.npy")) list += name.substr(0, name.size() - 8) + "\n";
  write_file_atomically(pictures.path("list.txt"), list);
  const Outcome outcome =
      network.predict({"--input", pictures.path("data"), "--list", pictures.path("list.txt"),
                       "--out", pictures.path("masks"), "--take-channels", "0,0,0"});
  CAPTURE(outcome.output, list);
  CHECK(outcome.code == 0);
  CHECK(contains(outcome, "3 slices written to"));
}

TEST_CASE("program: one bad input, named or found, does not stop the others", "[cli]") {
  const TrainedNetwork network;
  const Pictures& pictures = network.pictures;
  pictures.add("a.png", colour_picture(16, 16));
  pictures.add("notes.txt", "no picture");
  fs::create_directories(pictures.path("empty"));
  const auto command = GENERATE(std::string("predict"), std::string("explain"));
  std::vector<std::string> words = {"--out", pictures.path("out"), "--input"};
  if (command == "explain") words.insert(words.begin(), {"--methods", "flips"});
  for (const char* name : {"data/none.png", "data/a.png", "data/notes.txt", "empty"})
    words.push_back(pictures.path(name));
  const Outcome outcome = network.on(command, words);
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, "3 of 4 files could not be"));
  CHECK(contains(outcome, "none.png: no such file or folder"));
  CHECK(contains(outcome, "notes.txt: not a format that Glia reads"));
  CHECK(contains(outcome, "empty: no images found"));
  CHECK(fs::exists(pictures.path(command == "explain" ? "out/a_flips.npy" : "out/a_mask.png")));
}

TEST_CASE("program: more problems than are named are counted, and all are named if asked",
          "[cli]") {
  const TrainedNetwork network;
  const Pictures& pictures = network.pictures;
  for (int i = 0; i < 7; ++i) pictures.add("bad" + std::to_string(i) + ".png", "no picture");
  const Outcome few = network.predict("data", "out");
  CAPTURE(few.output);
  CHECK(few.code == 1);
  CHECK(contains(few, "and 2 more files"));
  CHECK(contains(few, "(--all-problems names all)"));
  CHECK_FALSE(contains(few, "bad6.png"));
  const Outcome all = network.predict(
      {"--input", pictures.path("data"), "--out", pictures.path("out"), "--all-problems"});
  CAPTURE(all.output);
  CHECK(contains(all, "bad6.png"));
  CHECK_FALSE(contains(all, "more files"));
  const Outcome import = run_glia(with(pictures.import(), {"--all-problems"}));
  CAPTURE(import.output);
  CHECK(contains(import, "bad6.png"));
}
