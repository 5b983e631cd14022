// glia import and glia predict on a volume, from files to a mask in the same space.
#include <cmath>

#include "engine/base/file.h"
#include "engine/formats/nifti.h"
#include "engine/formats/npy.h"
#include "tests/cli/workspace.h"
#include "tests/data/slices.h"
#include "tests/formats/encode.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;

constexpr int kSide = 16, kSlices = 6;

/// A bright ball in tissue without noise; stored from left to right, so that import has to turn it.
/// A slight slope makes no two slices alike.
std::string head(int patient, bool truth) {
  std::vector<float> values;
  for (int z = 0; z < kSlices; ++z)
    for (int y = 0; y < kSide; ++y)
      for (int x = 0; x < kSide; ++x) {
        const bool inside = std::hypot(x - 5 - patient, y - 7, 2 * (z - 3)) < 4;
        const float tissue = 1 + static_cast<float>(3 * inside) +
                             0.01F * static_cast<float>(x + 2 * z + 20 * patient);
        values.push_back(truth ? static_cast<float>(2 * inside) : z > 0 ? tissue : 0);
      }
  return nifti_file({.dims = {kSide, kSide, kSlices},
                     .sform = 1,
                     .srow = {{{1, 0, 0, -8}, {0, 1, 0, -8}, {0, 0, 2, 0}}}},
                    bytes_of(values));
}

}  // namespace

TEST_CASE("program: volumes are imported, trained on, and predicted in their own space", "[cli]") {
  const TempFolder folder;
  const auto path = [&](const std::string& name) { return (folder.path() / name).string(); };
  for (int patient = 0; patient < 4; ++patient) {
    const fs::path place = folder.path() / "mr" / ("p" + std::to_string(patient));
    fs::create_directories(place);
    write_bytes(place / "flair.nii", head(patient, false));
    write_bytes(place / "truth.nii", head(patient, true));
  }
  const std::vector<std::string> import{"import", "--data",        path("mr"),
                                        "--out",  path("slices"),  "--image-suffix",
                                        "flair",  "--mask-suffix", "truth"};
  const Outcome refused = run_glia(import);
  CAPTURE(refused.output);
  CHECK(refused.code == 1);
  CHECK(refused.output.find("--labels 2 takes") != std::string::npos);
  CHECK(!fs::exists(path("slices")));

  auto with_labels = import;
  with_labels.insert(with_labels.end(), {"--labels", "2"});
  const Outcome imported = run_glia(with_labels);
  CAPTURE(imported.output);
  REQUIRE(imported.code == 0);
  CHECK(imported.output.find("4 (p0, p1, p2, p3)") != std::string::npos);
  CHECK(imported.output.find("20 of 16 x 16") != std::string::npos);

  const std::string table = "csv:" + path("slices/manifest.csv");
  REQUIRE(run_glia({"check-data", "--data", path("slices")}).code == 0);
  REQUIRE(run_glia({"split", "--data", path("slices"), "--out", path("split"), "--group-by", table})
              .code == 0);
  const Outcome trained =
      run_glia({"train", "--data", path("slices"), "--split", path("split"), "--out", path("run"),
                "--base-width", "4", "--depth", "2", "--epochs", "40", "--learning-rate", "0.01",
                "--batch-size", "3", "--threads", "1"});
  CAPTURE(trained.output);
  REQUIRE(trained.code == 0);
  const std::string volume = path("mr/p1/flair.nii");
  const std::vector<std::string> predict{"predict",   "--checkpoint", path("run/best.safetensors"),
                                         "--input",   volume,         "--out",
                                         path("out"), "--npy"};
  const Outcome predicted = run_glia(predict);
  CAPTURE(predicted.output);
  REQUIRE(predicted.code == 0);
  fs::remove(path("out/flair_mask.nii.gz"));
  CHECK(contains(run_glia(predict), "holds 1 of the 2 files to be written, first flair_prob"));
  CHECK_FALSE(fs::exists(path("out/flair_mask.nii.gz")));
  CHECK(run_glia(with(predict, {"--overwrite"})).code == 0);
  const NiftiVolume mask = read_nifti(path("out/flair_mask.nii.gz"));
  const NiftiVolume truth = read_nifti(path("mr/p1/truth.nii"));
  CHECK(mask.header.affine == truth.header.affine);
  REQUIRE(mask.values.size() == truth.values.size());
  // A mask that lay a voxel off, mirrored or upside down would have far less in common.
  int both = 0, either = 0;
  for (std::size_t i = 0; i < mask.values.size(); ++i) {
    both += mask.values[i] > 0 && truth.values[i] > 0;
    either += mask.values[i] > 0 || truth.values[i] > 0;
  }
  CHECK(10 * both > 9 * either);
  const NpyArray probability = read_npy(path("out/flair_probability.npy"));
  CHECK(probability.info.shape == std::vector<std::int64_t>{kSlices, kSide, kSide});
  for (std::size_t i = 0; i < mask.values.size(); ++i)
    REQUIRE((probability.values[i] > 0.5F) == (mask.values[i] > 0));

  // explain reads the same, slice by slice, under the names that import gives.
  const auto explain = [&](const std::vector<std::string>& inputs, const std::string& out) {
    std::vector<std::string> words{"explain",   "--checkpoint", path("run/best.safetensors"),
                                   "--methods", "flips",        "--out",
                                   path(out),   "--input"};
    words.insert(words.end(), inputs.begin(), inputs.end());
    return run_glia(words);
  };
  const Outcome explained = explain({volume}, "why");
  CAPTURE(explained.output);
  CHECK(explained.code == 0);
  CHECK(contains(explained, "5 slices explained in"));
  for (int i = 0; i < kSlices; ++i)  // the first is blank
    CHECK(fs::exists(path("why/flair_" + std::to_string(i) + "_flips.npy")) == (i > 0));
  CHECK(contains(explain({volume}, "why"), "why: holds 17 of the 20 files to be written"));
  CHECK(explain({volume, "--overwrite"}, "why").code == 0);
  const Outcome joined = explain({volume, volume}, "joined");
  CAPTURE(joined.output);
  CHECK(joined.code == 1);
  CHECK(contains(joined,
                 "flair.nii, taken as the channels of one volume: the image has 2 channels, "
                 "the network expects 1"));
  CHECK(contains(joined, "given one a command, or as the folder that they lie in"));
  CHECK(explain({path("mr/p0")}, "folder").code == 0);
}

TEST_CASE("program: import and predict refuse what they cannot use", "[cli]") {
  const CliWorkspace w;
  const auto refused = [](const std::vector<std::string>& arguments, const std::string& text) {
    const Outcome outcome = run_glia(arguments);
    CAPTURE(arguments, outcome.output);
    CHECK(outcome.code == 1);
    CHECK(outcome.output.find(text) != std::string::npos);
  };
  const std::string out = w.path("new");
  refused({"import", "--data", w.path("none"), "--out", out}, "no such folder");
  refused({"import", "--data", w.path("slices"), "--out", out, "--resize", "5"},
          "--resize 5: expected HEIGHTxWIDTH");
  refused({"import", "--data", w.path("slices"), "--out", out, "--plane", "flat"},
          "--plane flat: expected axial, coronal or sagittal");
  refused({"import", "--data", w.path("d.json"), "--out", out, "--masks", "m"},
          "says how its files are named");
  refused({"import", "--data", w.path("slices"), "--out", out},
          "pass --image-suffix _img --mask-suffix _seg");
}
