// glia import of pictures, and what reads pictures after it, from the command line.
#include <signal.h>

#include <algorithm>

#include "engine/base/file.h"
#include "tests/cli/pictures.h"
#include "tests/cli/workspace.h"
#include "tests/data/slices.h"
#include "tests/formats/encode.h"

using namespace glia;

namespace fs = std::filesystem;

TEST_CASE("program: an import that is killed or stopped leaves nothing for the next one", "[cli]") {
  const Pictures pictures(2000);
  // The staging folder, once slices lie in it.
  const auto working = [&] {
    const auto names = pictures.beside();
    return !names.empty() && names[0].starts_with(".out.glia-") &&
           fs::exists(fs::path(pictures.path(names[0])) / "s0_seg.npy");
  };
  const Outcome killed = signal_glia(pictures.import(), SIGKILL, working);
  REQUIRE(killed.code == 128 + SIGKILL);
  REQUIRE(pictures.beside().size() == 1);
  const std::string remains = pictures.beside()[0];
  write_bytes(fs::path(pictures.path(remains)) / "foreign.npy", "x");

  for (const int signal : {SIGINT, SIGTERM}) {
    const Outcome stopped = signal_glia(pictures.import("other"), signal, [&] {
      const auto names = pictures.beside();
      return names.size() == 1 && names[0].starts_with(".other.glia-");
    });
    CAPTURE(stopped.output);
    CHECK(stopped.code == 130);
    CHECK(contains(stopped, "nothing was written"));
    CHECK(pictures.beside().empty());  // what was killed before is gone too
  }
  const Outcome whole = run_glia(pictures.import());
  CAPTURE(whole.output);
  REQUIRE(whole.code == 0);
  CHECK(pictures.beside() == std::vector<std::string>{"out"});
  CHECK(std::distance(fs::directory_iterator(pictures.path("out")), {}) == 4002);
}

TEST_CASE("program: a refused import leaves nothing, not even parents", "[cli]") {
  const Pictures pictures(4);
  pictures.add("p0/torn.png", "\x89PNG");
  pictures.add("p0/torn_mask.png", "\x89PNG");
  const Outcome refused = run_glia(pictures.import("new/deep/out"));
  CAPTURE(refused.output);
  CHECK(refused.code == 1);
  CHECK(contains(refused, "torn.png: damaged PNG"));
  CHECK(pictures.beside().empty());
}

TEST_CASE("program: import and split from odd names, into folders of any bytes", "[cli]") {
  const Pictures pictures;
  for (int patient = 0; patient < 6; ++patient)
    for (int slice = 0; slice < 2; ++slice)
      pictures.add_pair("p\xC3\xA9" + std::to_string(patient) + "/=s\x1B[31m" +
                            std::to_string(2 * patient + slice),
                        2 * patient + slice);
  const Outcome imported = run_glia(pictures.import("out\xE9"));
  CAPTURE(imported.output);
  REQUIRE(imported.code == 0);
  CHECK(imported.output.find('\x1B') == std::string::npos);
  CHECK(contains(imported,
                 "p\xC3\xA9"
                 "0"));
  const std::string out = pictures.path("out\xE9");
  CHECK_THAT(read_file(out + "/manifest.csv"), ContainsSubstring("\n'=s_[31m0,"));
  const Outcome checked = run_glia({"check-data", "--data", out});
  CAPTURE(checked.output);
  CHECK(checked.code == 0);
  const Outcome split = run_glia({"split", "--data", out, "--out", pictures.path("split\xE9"),
                                  "--test", "0.2", "--group-by", "csv:" + out + "/manifest.csv"});
  CAPTURE(split.output);
  REQUIRE(split.code == 0);
  const std::string list = read_file(pictures.path("split\xE9") + "/train.txt");
  CHECK(std::count(list.begin(), list.end(), '\n') == 8);  // 4 of 6 patients, 1 and 1

  pictures.add("lone\x1B]0;title\x07.png", "x");
  const Outcome refused = run_glia(pictures.import("again"));
  CHECK(refused.code == 1);
  CHECK(contains(refused, "lone\\x1B]0;title\\x07.png: an image without its mask"));
  CHECK(refused.output.find('\x1B') == std::string::npos);
}

TEST_CASE("program: predict and explain turn a picture as import does", "[cli]") {
  const Pictures pictures(24);
  REQUIRE(run_glia(pictures.import()).code == 0);
  REQUIRE(run_glia({"split", "--data", pictures.path("out"), "--out", pictures.path("split"),
                    "--group-by", "csv:" + pictures.path("out/manifest.csv")})
              .code == 0);
  REQUIRE(run_glia({"train", "--data", pictures.path("out"), "--split", pictures.path("split"),
                    "--out", pictures.path("run"), "--base-width", "4", "--depth", "2", "--epochs",
                    "1", "--threads", "1"})
              .code == 0);
  std::vector<std::uint16_t> upright, stored;  // 16 rows of 24, turned by a quarter
  const auto shade = [](int y, int x) { return static_cast<std::uint16_t>((y * 24 + x) % 256); };
  for (int y = 0; y < 16; ++y)
    for (int x = 0; x < 24; ++x) upright.push_back(shade(y, x));
  for (int y = 0; y < 24;
       ++y)  // 6: the first stored row is the right column, the first column on top
    for (int x = 0; x < 16; ++x) stored.push_back(shade(x, 23 - y));
  pictures.add("upright.png", png_file({.height = 16, .width = 24}, upright));
  pictures.add("turned.png", png_file({.height = 24, .width = 16, .exif = exif_block(6)}, stored));
  const auto run = [&](const std::vector<std::string>& command, const std::string& name) {
    std::vector<std::string> all = command;
    all.insert(all.end(),
               {"--checkpoint", pictures.path("run/best.safetensors"), "--threads", "1", "--input",
                pictures.path("data/" + name + ".png"), "--out", pictures.path(name)});
    const Outcome outcome = run_glia(all);
    CAPTURE(outcome.output);
    REQUIRE(outcome.code == 0);
  };
  for (const std::string name : {"upright", "turned"}) {
    run({"predict", "--npy"}, name);
    run({"explain", "--methods", "saliency", "--target", "image"}, name);
  }
  CHECK(read_file(pictures.path("turned/turned_probability.npy")) ==
        read_file(pictures.path("upright/upright_probability.npy")));
  CHECK(read_file(pictures.path("turned/turned_saliency.npy")) ==
        read_file(pictures.path("upright/upright_saliency.npy")));
}

TEST_CASE("program: what import advises works", "[cli]") {
  const Pictures pictures(8);
  for (int i = 0; i < 8; ++i) {
    const std::string stem =
        pictures.path("data/p" + std::to_string(i / 4) + "/s" + std::to_string(i));
    fs::rename(stem + "_mask.png", stem + "_seg.png");
  }
  const Outcome refused = run_glia(pictures.import());
  CHECK(refused.code == 1);
  CHECK(contains(refused, "1 problem, nothing was written"));
  REQUIRE(contains(refused, "pass --mask-suffix _seg"));
  auto mended = pictures.import();
  mended.insert(mended.end(), {"--mask-suffix", "_seg"});
  CHECK(run_glia(mended).code == 0);

  // A second mask, alone and in a folder of its own.
  fs::copy_file(pictures.path("data/p0/s0_seg.png"), pictures.path("data/p0/s0_seg_1.png"));
  auto second = pictures.import("second");
  second.insert(second.end(), {"--mask-suffix", "_seg"});
  REQUIRE(contains(run_glia(second), "--masks union joins them"));
  second.insert(second.end(), {"--masks", "union"});
  CHECK(run_glia(second).code == 0);
  const Outcome folders = run_glia({"import", "--data", pictures.path("data"), "--out",
                                    pictures.path("third"), "--masks", "a,b"});
  CHECK(contains(folders, "--masks a,b: expected one folder, the word union, or both"));
}
