#include "engine/import/import_cases.h"

#include <fstream>

#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;

/// Empty files: who belongs to whom is told by names alone.
class Tree {
 public:
  explicit Tree(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      const fs::path path = folder_.path() / name;
      fs::create_directories(path.parent_path());
      std::ofstream{path};
    }
  }
  void write(const std::string& name, const std::string& text) const {
    write_bytes(folder_.path() / name, text);
  }
  fs::path path() const { return folder_.path(); }
  ImportCases find(const ImportNames& names) const { return find_cases(path(), names); }
  /// "id: image image | mask", paths below the folder.
  std::vector<std::string> lines(const ImportCases& found) const {
    std::vector<std::string> lines;
    for (const ImportCase& one : found.cases) {
      std::string line = one.id + ":";
      for (const fs::path& image : one.images) line += " " + below(image);
      lines.push_back(line + " | " + below(one.mask));
    }
    return lines;
  }

 private:
  std::string below(const fs::path& path) const {
    return path.lexically_relative(folder_.path()).string();
  }
  TempFolder folder_;
};

using Lines = std::vector<std::string>;
const ImportNames kSideBySide{".", ".", {""}, "_mask"};

}  // namespace

TEST_CASE("import: masks beside images, in folders of patients", "[import]") {
  const Tree tree({"p 1/a_10.tif", "p 1/a_10_mask.tif", "p 1/a_2.tif", "p 1/a_2_mask.png",
                   "p.2/b.c.tif", "p.2/b.c_mask.tif", "notes.txt", ".hidden.png", ".git/x.png"});
  const ImportCases found = tree.find(kSideBySide);
  CHECK(found.problems.empty());
  CHECK(tree.lines(found) == Lines{"a_2: p 1/a_2.tif | p 1/a_2_mask.png",
                                   "a_10: p 1/a_10.tif | p 1/a_10_mask.tif",
                                   "b.c: p.2/b.c.tif | p.2/b.c_mask.tif"});
  CHECK(found.cases[0].folder == "p 1");
}

TEST_CASE("import: images and masks in folders of their own", "[import]") {
  const Tree tree({"img/p/1.png", "img/q/1.png", "masks/p/1.png", "masks/q/1.tif"});
  CHECK(tree.lines(tree.find({"img", "masks", {""}, ""})) ==
        Lines{"p_1: img/p/1.png | masks/p/1.png", "q_1: img/q/1.png | masks/q/1.tif"});
  const Tree nested({"1.png", "masks/1.png"});
  CHECK(nested.lines(nested.find({".", "masks", {""}, ""})) == Lines{"1: 1.png | masks/1.png"});
}

TEST_CASE("import: several files are one image", "[import]") {
  const Tree tree({"p1/x_flair.nii.gz", "p1/x_t1.nii.gz", "p1/x_t1ce.nii.gz", "p1/x_seg.nii.gz"});
  const ImportCases found = tree.find({".", ".", {"_t1ce", "_flair"}, "_seg"});
  CHECK(tree.lines(found) == Lines{"x: p1/x_t1ce.nii.gz p1/x_flair.nii.gz | p1/x_seg.nii.gz"});
  REQUIRE(found.unused.size() == 1);
  CHECK(found.unused[0].filename() == "x_t1.nii.gz");

  const Tree whole({"p1/Flair.nii", "p1/Truth.nii", "p2/Flair.nii", "p2/Truth.nii"});
  CHECK(whole.lines(whole.find({".", ".", {"Flair"}, "Truth"})) ==
        Lines{"p1: p1/Flair.nii | p1/Truth.nii", "p2: p2/Flair.nii | p2/Truth.nii"});
}

TEST_CASE("import: everything without a partner is listed", "[import]") {
  const Tree tree({"a.png", "b_mask.png", "c.png", "c_mask.png", "c.tif", "d/e.png"});
  const ImportCases found = tree.find(kSideBySide);
  CHECK(tree.lines(found) == Lines{"c: c.png | c_mask.png"});
  REQUIRE(found.problems.size() == 4);
  std::string all;
  for (const std::string& problem : found.problems) all += problem + "\n";
  CHECK_THAT(all, ContainsSubstring("a.png: an image without its mask " +
                                    (tree.path() / "a_mask").string()));
  CHECK_THAT(all, ContainsSubstring("b_mask.png: a mask without its image"));
  CHECK_THAT(all, ContainsSubstring("c.tif: differs from " + (tree.path() / "c.png").string()));
  CHECK_THAT(all, ContainsSubstring("e.png: an image without its mask"));

  const Tree torn({"x_1.png", "x_seg.png", "y_1.png", "y_2.png", "y_seg.png"});
  const ImportCases half = torn.find({".", ".", {"_1", "_2"}, "_seg"});
  REQUIRE(half.problems.size() == 1);
  CHECK_THAT(half.problems[0],
             ContainsSubstring("x_1.png: the case has no " + (torn.path() / "x_2").string()));
}

TEST_CASE("import: names that tell nothing are refused", "[import]") {
  const Tree tree({"a.png", "notes.txt"});
  CHECK_THAT(error_of([&] {
               tree.find({".", ".", {""}, ""});
             }),
             ContainsSubstring("--mask-suffix ''"));
  CHECK_THAT(error_of([&] {
               tree.find({".", ".", {"_a", "_a"}, "_m"});
             }),
             ContainsSubstring("stands twice"));
  CHECK_THAT(error_of([&] {
               tree.find({"img", ".", {""}, ""});
             }),
             ContainsSubstring("no such folder"));
  const Tree empty({"notes.txt", "dataset.json"});
  CHECK_THAT(error_of([&] { empty.find(kSideBySide); }),
             ContainsSubstring("pass its dataset.json as --data"));
}

TEST_CASE("import: ids that clash after cleaning are a problem", "[import]") {
  const Tree tree(
      {"a_b/c.png", "a_b/c_mask.png", "a/b_c.png", "a/b_c_mask.png", "x/c.png", "x/c_mask.png"});
  const ImportCases found = tree.find(kSideBySide);
  REQUIRE(found.problems.size() == 1);
  CHECK_THAT(found.problems[0], ContainsSubstring("would get the id a_b_c"));
}

TEST_CASE("import: dataset.json of the Decathlon", "[import]") {
  const Tree tree({"imagesTr/B_1.nii.gz", "labelsTr/B_1.nii.gz", "labelsTr/B_2.nii.gz"});
  tree.write("dataset.json", R"({"modality": {"0": "FLAIR"}, "labels": {"0": "background",
    "1": "edema"}, "training": [{"image": "./imagesTr/B_1.nii.gz", "label":
    "./labelsTr/B_1.nii.gz"}, {"image": "./imagesTr/B_2.nii.gz", "label":
    "./labelsTr/B_2.nii.gz"}], "test": []})");
  const ImportCases found = read_dataset_json(tree.path() / "dataset.json");
  CHECK(tree.lines(found) == Lines{"B_1: imagesTr/B_1.nii.gz | labelsTr/B_1.nii.gz"});
  CHECK(found.labels.at(1) == "edema");
  REQUIRE(found.problems.size() == 1);
  CHECK_THAT(found.problems[0], ContainsSubstring("B_2_0000.nii.gz: no such file, but"));
}

TEST_CASE("import: dataset.json of nnU-Net", "[import]") {
  const Tree tree({"imagesTr/c_0000.nii.gz", "imagesTr/c_0001.nii.gz", "labelsTr/c.nii.gz"});
  const Lines expected{"c: imagesTr/c_0000.nii.gz imagesTr/c_0001.nii.gz | labelsTr/c.nii.gz"};
  tree.write("2.json", R"({"channel_names": {"0": "a", "1": "b"}, "file_ending": ".nii.gz",
    "labels": {"background": 0, "edema": 1, "whole": [1, 2]}, "numTraining": 1})");
  const ImportCases second = read_dataset_json(tree.path() / "2.json");
  CHECK(tree.lines(second) == expected);
  CHECK(second.problems.empty());
  CHECK(second.labels == std::map<std::int64_t, std::string>{{0, "background"}, {1, "edema"}});
  tree.write("1.json", R"({"modality": {"0": "a", "1": "b"}, "training":
    [{"image": "./imagesTr/c.nii.gz", "label": "./labelsTr/c.nii.gz"}]})");
  CHECK(tree.lines(read_dataset_json(tree.path() / "1.json")) == expected);
  tree.write("3.json", R"({"channel_names": {"0": "a", "1": "b"}, "file_ending": ".nii.gz",
    "numTraining": 7})");
  CHECK_THAT(read_dataset_json(tree.path() / "3.json").problems.at(0),
             ContainsSubstring("numTraining is 7, but there are 1 cases"));
}

TEST_CASE("import: other dataset.json files are refused with a reason", "[import]") {
  const Tree tree(std::vector<std::string>{});
  const auto refusal = [&](const std::string& text) {
    tree.write("dataset.json", text);
    return error_of([&] { read_dataset_json(tree.path() / "dataset.json"); });
  };
  CHECK_THAT(refusal("[1"), ContainsSubstring("no valid JSON at line 1, column 3"));
  CHECK_THAT(refusal("[1]"), ContainsSubstring("is no JSON object"));
  CHECK_THAT(refusal("{}"), ContainsSubstring("neither a list 'training'"));
  CHECK_THAT(refusal(R"({"training": []})"),
             ContainsSubstring("no object 'channel_names' or 'modality'"));
  CHECK_THAT(refusal(R"({"training": [], "modality": {"0": "a"}})"),
             ContainsSubstring("'training' is empty"));
  CHECK_THAT(refusal(R"({"training": [5], "modality": {"0": "a"}})"),
             ContainsSubstring("an entry of 'training' is 5"));
}
