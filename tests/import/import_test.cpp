#include "engine/import/import.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "engine/base/file.h"
#include "engine/data/check_data.h"
#include "engine/data/group.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/formats/encode.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;

class Workshop {
 public:
  Workshop() { config_.names = {".", ".", {""}, "_mask"}; }

  void add(const std::string& name, const std::string& bytes) const {
    const fs::path path = data() / name;
    fs::create_directories(path.parent_path());
    write_bytes(path, bytes);
  }
  /// A grey picture whose values follow from `first`, and a mask of `values`.
  void add_pair(const std::string& name, int first, const std::vector<std::uint16_t>& values,
                int width = 2, int bits = 8) const {
    std::vector<std::uint16_t> pixels(values.size());
    std::iota(pixels.begin(), pixels.end(), static_cast<std::uint16_t>(first));
    const int height = static_cast<int>(values.size()) / width;
    add(name + ".png", png_file({.height = height, .width = width, .bits = bits}, pixels));
    add(name + "_mask.png", png_file({.height = height, .width = width}, values));
  }
  ImportSummary run() {
    config_.data = data();
    config_.out = out();
    return import_data(config_, [](std::int64_t, std::int64_t) {});
  }
  /// The message of a refusal, after which nothing may be left.
  std::string refusal() {
    const std::string message = error_of([&] { run(); });
    CHECK(!fs::exists(out()));
    CHECK(std::distance(fs::directory_iterator(folder_.path()), {}) == 1);
    return message;
  }
  std::string table() const { return read_file(out() / kSliceTable); }
  Slice slice(const std::string& id) const {
    return load_slice({id, out() / (id + "_img.npy"), out() / (id + "_seg.npy")});
  }
  fs::path data() const { return folder_.path() / "data"; }
  fs::path out() const { return folder_.path() / "out"; }
  ImportConfig& config() { return config_; }

 private:
  TempFolder folder_;
  ImportConfig config_;
};

/// A volume of 3 x 2 voxels in 4 slices, the first of them blank.
std::string volume(float first, int sform = 1) {
  std::vector<float> values(24);
  for (std::size_t i = 6; i < values.size(); ++i) values[i] = first + static_cast<float>(i);
  return nifti_file(
      {.dims = {3, 2, 4}, .sform = sform, .srow = {{{-1, 0, 0, 0}, {0, -2, 0, 0}, {0, 0, 3, 0}}}},
      bytes_of(values));
}

std::string label_volume(const std::vector<float>& some) {
  std::vector<float> values(24);
  std::copy(some.begin(), some.end(), values.begin() + 12);
  return nifti_file(
      {.dims = {3, 2, 4}, .sform = 1, .srow = {{{-1, 0, 0, 0}, {0, -2, 0, 0}, {0, 0, 3, 0}}}},
      bytes_of(values));
}

}  // namespace

TEST_CASE("import: pictures become slices, with a table of where they came from", "[import]") {
  Workshop w;
  w.add_pair("p 1/s.1", 10, {0, 255, 0, 0});
  w.add_pair("p,\"2\"/s.2", 20, {0, 0, 0, 0});
  const ImportSummary summary = w.run();
  CHECK(summary.cases == 2);
  CHECK(summary.slices == 2);
  CHECK(summary.with_tumour == 1);
  CHECK(summary.patients == std::vector<std::string>{"p 1", "p,\"2\""});
  CHECK(w.slice("s.1").image == std::vector<float>{10, 11, 12, 13});
  CHECK(w.slice("s.1").mask == std::vector<float>{0, 1, 0, 0});
  CHECK(w.table() ==
        "id,group,slice,image,mask,row_mm,column_mm\n"
        "s.1,p 1,1,p 1/s.1.png,p 1/s.1_mask.png,,\n"
        "s.2,\"p,\"\"2\"\"\",2,\"p,\"\"2\"\"/s.2.png\",\"p,\"\"2\"\"/s.2_mask.png\",,\n");
  // What `glia split --group-by csv:…` makes of the table, and check-data of the folder.
  const auto groups = assign_groups({"s.1", "s.2"}, "csv:" + (w.out() / kSliceTable).string());
  CHECK(groups.at("s.2") == "p,\"2\"");
  CHECK(check_data(w.out()).problems.empty());
  const auto record = nlohmann::json::parse(read_file(w.out() / kImportRecord));
  CHECK(record["slices"] == 2);
  CHECK(record["image_kinds"]["8-bit grey PNG"] == 2);
}

TEST_CASE("import: volumes are sliced, channels stacked, blank slices left out", "[import]") {
  Workshop w;
  w.add("p1/a.nii", volume(100));
  w.add("p1/b.nii.gz", volume(200));
  w.add("p1/seg.nii", label_volume({0, 0, 4, 0, 2, 1}));
  w.config().names = {".", ".", {"b", "a"}, "seg"};
  w.config().mask.labels = {1, 4};
  const ImportSummary summary = w.run();
  CHECK(summary.slices == 3);
  CHECK(summary.blank == 1);
  CHECK(summary.with_tumour == 1);
  CHECK(summary.channels == 2);
  const Slice slice = w.slice("p1_2");
  CHECK(slice.image ==
        std::vector<float>{212, 112, 213, 113, 214, 114, 215, 115, 216, 116, 217, 117});
  CHECK(slice.mask == std::vector<float>{0, 0, 1, 0, 0, 1});
  CHECK_THAT(w.table(), ContainsSubstring("p1_2,p1,2,p1/b.nii.gz;p1/a.nii,p1/seg.nii,2,1\n"));
}

TEST_CASE("import: patients", "[import]") {
  Workshop w;
  w.add_pair("7_a", 0, {0, 1});
  w.add_pair("8_a", 9, {0, 1});
  CHECK_THAT(w.refusal(), ContainsSubstring("2 images lie in no folder of their own"));
  w.config().group_by = "regex:_(.)$";
  CHECK(w.run().patients == std::vector<std::string>{"a"});
  fs::remove_all(w.out());
  w.config().group_by = "case";
  CHECK(w.run().patients == std::vector<std::string>{"7_a", "8_a"});
}

TEST_CASE("import: every problem is told at once, and nothing is written", "[import]") {
  Workshop w;
  w.add_pair("p/good", 0, {0, 1, 2, 0});
  w.add_pair("p/torn", 0, {0, 1, 2, 0});
  const std::string bytes = read_file(w.data() / "p/torn.png");
  w.add("p/torn.png", bytes.substr(0, bytes.size() - 20));
  w.add_pair("p/wide", 0, {0, 1, 2, 0}, 4);
  w.add("p/alone.png", bytes);
  w.add("p/odd.png", bytes);
  w.add("p/odd_mask.png", png_file({.height = 1, .width = 4}, {0, 0, 0, 0}));
  const std::string message = w.refusal();
  CAPTURE(message);
  CHECK_THAT(message, ContainsSubstring("5 problems, nothing was written"));
  CHECK_THAT(message, ContainsSubstring("alone.png: an image without its mask"));
  CHECK_THAT(message, ContainsSubstring("torn.png: damaged PNG"));
  CHECK_THAT(message,
             ContainsSubstring("odd_mask.png: 1 x 4 pixels in 1 slices, its image has 2 x 2 in 1"));
  CHECK_THAT(message, ContainsSubstring("--labels 1,2 takes all but 0 as tumour"));
  CHECK_THAT(message, ContainsSubstring("1 of 1 x 4 with 1 channels"));
  CHECK_THAT(message, ContainsSubstring("--pad-to 2x4 or --resize 2x4"));
}

TEST_CASE("import: sizes are made alike only when asked to", "[import]") {
  Workshop w;
  w.add_pair("p/a", 10, {0, 1, 0, 0});
  w.add_pair("p/b", 10, {0, 1, 1, 0}, 4);
  w.config().pad_to = Size{3, 4};
  CHECK(w.run().size == Size{3, 4});
  CHECK(w.slice("a").mask == std::vector<float>{0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(w.slice("a").image == std::vector<float>{10, 10, 11, 10, 10, 12, 13, 10, 10, 10, 10, 10});
  fs::remove_all(w.out());
  w.config().pad_to = Size{2, 3};
  CHECK_THAT(w.refusal(), ContainsSubstring("b.png: 1 x 4 pixels are more than --pad-to 2x3"));
  w.config().pad_to.reset();
  w.config().resize = Size{2, 2};
  CHECK(w.run().size == Size{2, 2});
  CHECK(w.slice("a").image == std::vector<float>{10, 11, 12, 13});
}

TEST_CASE("import: depths and channels that differ are a problem", "[import]") {
  Workshop w;
  w.add_pair("p/a", 10, {0, 1, 0, 0});
  w.add_pair("p/b", 10, {0, 1, 0, 0}, 2, 16);
  const std::string message = w.refusal();
  CHECK_THAT(message, ContainsSubstring("1 of 2 x 2 with 1 channels up to 255"));
  CHECK_THAT(message, ContainsSubstring("up to 65535"));
  CHECK_THAT(message, ContainsSubstring("convert them to one depth"));
}

TEST_CASE("import: a mask stored the other way round is turned, one that lies elsewhere refused",
          "[import]") {
  Workshop w;
  w.config().names = {".", ".", {"img"}, "seg"};
  w.add("p/img.nii", volume(1));
  std::vector<float> labels(24);
  labels[0] = 1;  // the first voxel of the mask lies at the last slice and column of the image
  const NiftiSpec turned{
      .dims = {3, 2, 4}, .sform = 1, .srow = {{{1, 0, 0, -2}, {0, -2, 0, 0}, {0, 0, -3, 9}}}};
  w.add("p/seg.nii", nifti_file(turned, bytes_of(labels)));
  w.run();
  CHECK(w.slice("p_3").mask == std::vector<float>{0, 0, 1, 0, 0, 0});
  fs::remove_all(w.out());
  NiftiSpec shifted = turned;
  shifted.srow[2][3] = 12;
  w.add("p/seg.nii", nifti_file(shifted, bytes_of(labels)));
  CHECK_THAT(w.refusal(), ContainsSubstring("seg.nii: lies up to 3 mm away"));
  w.config().stack.as_stored = true;
  w.config().keep_blank = true;
  CHECK(w.run().slices == 4);
  CHECK(w.slice("p_0").mask == std::vector<float>{1, 0, 0, 0, 0, 0});
}

TEST_CASE("import: NaN in an image is a problem", "[import]") {
  Workshop w;
  std::vector<float> values(24, 1.0F);
  values[3] = std::nanf("");
  w.add("p/img.nii", nifti_file({.dims = {3, 2, 4}}, bytes_of(values)));
  w.add("p/seg.nii", nifti_file({.dims = {3, 2, 4}}, bytes_of(std::vector<float>(24))));
  w.config().names = {".", ".", {"img"}, "seg"};
  CHECK_THAT(w.refusal(), ContainsSubstring("img.nii: 1 of 24 values are NaN"));
}

TEST_CASE("import: the output must be elsewhere and new", "[import]") {
  Workshop w;
  w.add_pair("p/a", 0, {0, 1});
  const auto into = [&](const fs::path& out) {
    w.config().data = w.data();
    w.config().out = out;
    return error_of([&] { import_data(w.config(), [](std::int64_t, std::int64_t) {}); });
  };
  CHECK_THAT(into(w.data() / "slices"), ContainsSubstring("lies among the data"));
  CHECK_THAT(into(w.data()), ContainsSubstring("is there already"));
  fs::create_directories(w.out());
  CHECK(into(w.out() / "").empty());
  CHECK_THAT(into(w.out()), ContainsSubstring("is there already"));
}

TEST_CASE("import: the seed's own .npy pairs", "[import]") {
  Workshop w;
  write_pair(w.data() / "Yes", "41", 1, 3);
  write_pair(w.data() / "No", "42", 2, 0);
  w.config().names = {".", ".", {"_img"}, "_seg"};
  w.config().group_by = "id/20";
  CHECK(w.run().patients == std::vector<std::string>{"2"});
  CHECK(w.slice("41").channels == 2);
}

TEST_CASE("import: ten thousand files", "[import]") {
  Workshop w;
  const std::string image = png_file({.height = 1, .width = 2}, {1, 2});
  const std::string mask = png_file({.height = 1, .width = 2}, {0, 1});
  for (int i = 0; i < 5000; ++i) {
    const std::string name = "p" + std::to_string(i / 50) + "/s " + std::to_string(i);
    w.add(name + ".png", image);
    w.add(name + "_mask.png", mask);
  }
  const ImportSummary summary = w.run();
  CHECK(summary.slices == 5000);
  CHECK(summary.patients.size() == 100);
  CHECK(scan_pairs(w.out()).size() == 5000);
}
