// What messages about data, devices and limits advise is done as they say, and then it works.
#include <cmath>

#include "engine/base/file.h"
#include "tests/cli/advice.h"
#include "tests/cli/pictures.h"

using namespace glia;
using namespace glia::advice;

namespace {

namespace fs = std::filesystem;

std::string bytes_with(double value, std::size_t count) {
  std::vector<double> values(count, 1);
  values[3] = value;
  return bytes_of(values);
}

/// An image of float64, one of whose values is `value`.
std::string wide_npy(double value) {
  return npy_bytes(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (16, 16, 3), }\n",
                   bytes_with(value, 16 * 16 * 3));
}

/// Slices whose values are `factor` times those of the phantom.
void scale_slices(const CliWorkspace& w, float factor) {
  for (const auto& entry : fs::directory_iterator(w.path("slices"))) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with("_img.npy")) continue;
    NpyArray image = read_npy(entry.path());
    for (float& value : image.values) value *= factor;
    write_npy<float>(entry.path(), image.info.shape, image.values);
  }
}

}  // namespace

TEST_CASE("advice: values beyond float32 are told apart, and scaled", "[cli][advice]") {
  const Network w;
  const std::string beyond = "1 of 768 values, the first 1e+300, are beyond the range of float32";
  write_bytes(w.path("wide.npy"), wide_npy(1e300));
  refused(w.on("predict", "wide.npy", "out"), "wide.npy: " + beyond);
  refused(w.on("predict", "wide.npy", "out"), "all values scaled, or these replaced by 0");
  for (const double mended : {1.5, 0.0}) {
    write_bytes(w.path("wide.npy"), wide_npy(mended));
    works(w.on("predict", "wide.npy", "out"));
  }
  // An infinity stays one.
  write_bytes(w.path("wide.npy"), wide_npy(INFINITY));
  refused(w.on("predict", "wide.npy", "out"), "1 of 768 values are NaN or infinite");

  write_bytes(w.path("slices/0_img.npy"), wide_npy(-1e300));
  const Outcome checked = run_glia({"check-data", "--data", w.path("slices")});
  CAPTURE(checked.output);
  CHECK(checked.code == 1);
  CHECK(contains(checked, "0_img.npy: 1 of 768 values, the first -1e+300, are beyond"));
}

TEST_CASE("advice: huge values are found by check-data, and trained on when normalised",
          "[cli][advice]") {
  const CliWorkspace w;
  works({"check-data", "--data", w.path("slices")});
  scale_slices(w, 1e20F);
  refused(w.train("run", 1), "or --normalize slice, or look at the data with check-data");
  const Outcome checked = run_glia({"check-data", "--data", w.path("slices")});
  CAPTURE(checked.output);
  CHECK(
      contains(checked, "may overflow inside a network; train with --normalize slice, or import"));
  works(with(w.train("normal", 1), {"--normalize", "slice"}));
  scale_slices(w, 1e-20F);
  works(w.train("smaller", 1));
}

TEST_CASE("advice: a damaged picture is copied or exported again", "[cli][advice]") {
  const Pictures pictures(2);
  const fs::path picture = pictures.path("data/p0/s0.png");
  const std::string whole = read_file(picture);
  write_bytes(picture, whole.substr(0, whole.size() / 2));
  refused(pictures.import(), "s0.png: damaged");
  refused(pictures.import(), "copy or export the file again");
  write_bytes(picture, whole);
  works(pictures.import(pictures.path("out")));
}

TEST_CASE("advice: blank slices are kept, other sizes padded or resized", "[cli][advice]") {
  const Pictures pictures(2);
  const Words import = pictures.import(pictures.path("out"));
  refused(with(import, {"--stretch"}), "add --resize");
  refused(with(import, {"--pad-to", "8x8"}),
          "are more than --pad-to 8x8; choose a larger size or --resize");
  for (const Words& more : {Words{"--stretch", "--resize", "8x12"}, Words{"--pad-to", "16x24"},
                            Words{"--resize", "8x8"}}) {
    works(with(import, more));
    fs::remove_all(pictures.path("out"));
  }
  const auto picture = [](std::uint16_t first) {
    std::vector<std::uint16_t> pixels(12 * 16);
    pixels.front() = first;
    return png_file({.height = 12, .width = 16}, pixels);
  };
  pictures.add("p0/t.png", picture(9));
  pictures.add("p0/t_mask.png", picture(0));
  refused(import, "--pad-to 16x16 or --resize 16x16 gives them one size");
  for (const char* flag : {"--pad-to", "--resize"}) {
    works(with(import, {flag, "16x16"}));
    fs::remove_all(pictures.path("out"));
  }

  const Pictures blank;
  blank.add("p0/t.png", picture(0));
  blank.add("p0/t_mask.png", picture(0));
  const Words all_blank = blank.import(blank.path("out"));
  refused(all_blank, "all slices are blank; check the files, or pass --keep-blank");
  works(with(all_blank, {"--keep-blank"}));
}

TEST_CASE("advice: methods, ways to convolve and backends that are there", "[cli][advice]") {
  const CliWorkspace w;
  Words plain = w.train("plain", 1);
  *(std::find(plain.begin(), plain.end(), "--dropout") + 1) = "0";
  works(plain);
  works(w.train("dropped", 1));
  write_image(w.path("one.npy"), 1);
  const auto explain = [&](const std::string& run, const std::string& method) {
    return Words{"explain",     "--checkpoint",    w.path(run + "/best.safetensors"),
                 "--input",     w.path("one.npy"), "--out",
                 w.path("why"), "--methods",       method,
                 "--overwrite"};
  };
  refused(explain("plain", "mc-dropout"), "train one with --dropout, or use flips");
  works(explain("plain", "flips"));
  works(explain("dropped", "mc-dropout"));

  const auto train = [&](const Words& more) {
    fs::remove_all(w.path("run"));
    return with(w.train("run", 1), more);
  };
  refused(train({"--precision", "bf16", "--conv", "winograd", "--device", "cpu"}),
          "choose --conv auto or direct, or --precision fp32");
  works(train({"--precision", "fp32", "--conv", "winograd", "--device", "cpu"}));
  const Outcome none = run_glia(train({"--backend", "none"}));
  CAPTURE(none.output);
  CHECK(none.code == 2);
  CHECK(contains(none, "none not in {native,"));
  works(train({"--backend", "native", "--device", "cpu"}));
}

TEST_CASE("advice: fewer threads where a limit has no room for their stacks", "[cli][advice]") {
  const CliWorkspace w;
  const auto train = [&](const std::string& limit, const std::string& threads) {
    return run_shell(
        fmt::format("ulimit -s 8192; ulimit {} && \"$GLIA\" train --data {} --split {} --out {} "
                    "--base-width 4 --depth 1 --max-steps 1 --device cpu --threads {}",
                    limit, w.path("slices"), w.path("split"), w.path("run"), threads));
  };
  const Outcome refused = train("-d 100000", "64");
  CAPTURE(refused.output);
  CHECK(refused.code == 1);
  CHECK_FALSE(contains(refused, "libgomp"));
  CHECK_FALSE(fs::exists(w.path("run")));
  const std::string hint = "pass --threads ";
  const std::size_t place = refused.output.find(hint);
  REQUIRE(place != std::string::npos);
  const std::string advised = std::to_string(std::stoi(refused.output.substr(place + hint.size())));
  const Outcome followed = train("-d 100000", advised);
  CAPTURE(advised, followed.output);
  CHECK(followed.code == 0);
  fs::remove_all(w.path("run"));

  const Outcome addresses = train("-v 400000", "1");
  CAPTURE(addresses.output);
  if (addresses.code == 0) return;  // a build that needs less
  CHECK(contains(addresses, "raise ulimit -v, or lift it (ulimit -v unlimited)"));
  CHECK(train("-v unlimited", "1").code == 0);
}

TEST_CASE("advice: what comes from a pipe is written into a file", "[cli][advice]") {
  const CliWorkspace w;
  const std::string train = fmt::format(
      "\"$GLIA\" train --data {} --val-list {} --out {} --base-width 4 --depth 1 --max-steps 1 "
      "--train-list ",
      w.path("slices"), w.path("split/val.txt"), w.path("run"));
  const std::string list = w.path("split/train.txt"), pipe = w.path("pipe");
  const Outcome refused = run_shell(fmt::format("mkfifo {} && {}{}", pipe, train, pipe));
  CAPTURE(refused.output);
  CHECK(refused.code == 1);
  CHECK(contains(refused, "pipe: cannot read: a pipe"));
  CHECK(contains(refused, "write what comes from it into a file"));
  const Outcome followed =
      run_shell(fmt::format("cat {} > {} && {}{}", list, w.path("list"), train, w.path("list")));
  CAPTURE(followed.output);
  CHECK(followed.code == 0);
}

TEST_CASE("advice: a folder on a file system that has locks", "[cli][advice]") {
#ifdef GLIA_NO_LOCKS
  const CliWorkspace w;
  const auto train = [&](const std::string& out, const std::string& with_locks) {
    std::string line = with_locks + " \"$GLIA\"";
    for (const std::string& word : w.train(out, 1)) line += " " + word;
    return run_shell(line);
  };
  const Outcome refused = train("run", "LD_PRELOAD=" GLIA_NO_LOCKS);
  CAPTURE(refused.output);
  CHECK(refused.code == 1);
  CHECK(contains(refused, "run: cannot be locked: No locks available; choose a folder on another"));
  const Outcome followed = train("elsewhere", "");
  CAPTURE(followed.output);
  CHECK(followed.code == 0);
  CHECK(train("run", "").code == 0);
#else
  WARN("this build preloads nothing");
#endif
}
