// Volumes that do not lie as their headers say, or are cut off: what is advised works, in import
// and in predict. Not in a build without the formats' libraries (tests/CMakeLists.txt).
#include <filesystem>

#include "engine/formats/gzip.h"
#include "tests/cli/advice.h"
#include "tests/cli/pictures.h"

using namespace glia;
using namespace glia::advice;

namespace {

namespace fs = std::filesystem;

/// 16 x 16 pixels in two slices.
NiftiSpec volume() {
  return {.dims = {16, 16, 2},
          .datatype = 2,
          .bits = 8,
          .sform = 1,
          .srow = {{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}}};
}

std::string file_of(const NiftiSpec& spec, int values = 16 * 16 * 2) {
  std::string data(static_cast<std::size_t>(values), '\0');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i % 16 < 4 ? 1 : 0);
  return nifti_file(spec, data);
}

}  // namespace

TEST_CASE("advice: --orientation stored, where headers disagree or say nothing sound",
          "[cli][advice]") {
  const Pictures pictures;
  const Words import = with(pictures.import(), {"--group-by", "case"});
  const auto stored_helps = [&](const NiftiSpec& image, const NiftiSpec& mask,
                                const std::string& text) {
    pictures.add("v.nii", file_of(image));
    pictures.add("v_mask.nii", file_of(mask));
    refused(import, text);
    works(with(import, {"--orientation", "stored"}));
    fs::remove_all(pictures.path("out"));
  };
  NiftiSpec silent = volume(), shifted = volume(), sheared = volume();
  silent.sform = 0;
  shifted.srow[0][3] = 9;
  sheared.srow = {{{1, 1, 0, 0}, {1, 1, 0, 0}, {0, 0, 1, 0}}};
  stored_helps(volume(), silent, "give both the same header, or pass --orientation stored");
  stored_helps(volume(), shifted, "or pass --orientation stored if only its header is wrong");
  stored_helps(sheared, sheared, "write it again with a sound one, or pass --orientation stored");
  // The other halves of these hints.
  pictures.add("v.nii", file_of(volume()));
  pictures.add("v_mask.nii", file_of(volume()));
  works(import);

  // A picture that is to be turned beside a mask that is not: a warning, gone with the flag.
  const Pictures turned;
  turned.add_pair("p", 1);
  std::vector<std::uint16_t> pixels(16 * 16);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint16_t>(i % 256);
  turned.add("p.png", png_file({.height = 16, .width = 16, .exif = exif_block(6)}, pixels));
  for (const bool stored : {false, true}) {
    const Words more = {"--group-by", "case", "--orientation", stored ? "stored" : "header"};
    const Outcome outcome = run_glia(with(turned.import(stored ? "stored" : "turned"), more));
    CAPTURE(stored, outcome.output);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome, "pass --orientation stored") == !stored);
  }
}

TEST_CASE("advice: volumes that are no volumes are copied, converted or split", "[cli][advice]") {
  const Pictures pictures;
  const std::string good = file_of(volume());
  NiftiSpec deep = volume(), pair = volume(), nowhere = volume(), complex = volume();
  deep.dims = {16, 16, 1, 2, 2};
  pair.magic = std::string("ni1\0", 4);
  nowhere.srow = {};
  complex.datatype = 32;
  const std::string packed = gzip(good);
  pictures.add("v_mask.nii", good);
  struct Case {
    std::string name, bytes, text;
  };
  for (const auto& [name, bytes, text] :
       {Case{"v.nii", good.substr(0, good.size() - 1), "its header is damaged: copy it again"},
        Case{"v.nii", good + "x", "write it again without what comes after its voxels"},
        Case{"v.nii", good.substr(0, 100), "copy it again"},
        Case{"v.nii", file_of(deep, 16 * 16 * 4), "and a fourth for channels: split it"},
        Case{"v.nii", file_of(pair), "convert it to one .nii file"},
        Case{"v.nii", file_of(complex), "float32 or float64: convert it"},
        Case{"v.nii", file_of(nowhere), "write it again with a sound orientation"},
        Case{"v.nii", "x" + good, "convert it to .nii"},
        Case{"v.nii.gz", packed.substr(0, packed.size() / 2), "copy it again"},
        Case{"v.nii.gz", packed + packed, "copy it again"}}) {
    CAPTURE(text);
    const bool is_packed = name.ends_with(".gz");
    pictures.add(name, bytes);
    const Words import = with(pictures.import(), {"--group-by", "case"});
    refused(import, name + ": ");
    refused(import, text);
    pictures.add(name, is_packed ? packed : good);
    works(import);
    fs::remove_all(pictures.path("out"));
    fs::remove(pictures.path("data/" + name));
  }
}
