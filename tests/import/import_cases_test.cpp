#include "engine/import/import_cases.h"

#include <algorithm>
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
      line += " |";
      for (const fs::path& mask : one.masks) line += " " + below(mask);
      lines.push_back(line);
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
  REQUIRE(found.problems.count() == 4);
  const std::string all = found.problems.text(false);
  CHECK_THAT(all, ContainsSubstring("a.png: an image without its mask " +
                                    (tree.path() / "a_mask").string()));
  CHECK_THAT(all, ContainsSubstring("b_mask.png: a mask without its image"));
  CHECK_THAT(all, ContainsSubstring("c.tif: differs from " + (tree.path() / "c.png").string()));
  CHECK_THAT(all, ContainsSubstring("e.png: an image without its mask"));

  const Tree torn({"x_1.png", "x_seg.png", "y_1.png", "y_2.png", "y_seg.png"});
  const ImportCases half = torn.find({".", ".", {"_1", "_2"}, "_seg"});
  REQUIRE(half.problems.count() == 1);
  CHECK_THAT(half.problems.text(false),
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
  REQUIRE(found.problems.count() == 1);
  CHECK_THAT(found.problems.text(false), ContainsSubstring("would get the id a_b_c"));
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
  REQUIRE(found.problems.count() == 1);
  CHECK_THAT(found.problems.text(false),
             ContainsSubstring("B_2_0000.nii.gz: no such file, nor " +
                               (tree.path() / "imagesTr/B_2.nii.gz").string() + ", which " +
                               (tree.path() / "dataset.json").string() +
                               " lists; unpack the data set again"));
  fs::copy(tree.path() / "imagesTr/B_1.nii.gz", tree.path() / "imagesTr/B_2_0000.nii.gz");
  CHECK(read_dataset_json(tree.path() / "dataset.json").problems.empty());
  fs::remove(tree.path() / "labelsTr/B_2.nii.gz");
  CHECK_THAT(read_dataset_json(tree.path() / "dataset.json").problems.text(false),
             ContainsSubstring("labelsTr/B_2.nii.gz: no such file, but " +
                               (tree.path() / "dataset.json").string() + " lists it; unpack"));
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
  CHECK_THAT(read_dataset_json(tree.path() / "3.json").problems.text(false),
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
  CHECK_THAT(
      refusal(R"({"training": [{"image": "", "label": "a.png"}], "modality": {"0": "a"}})"),
      ContainsSubstring(R"(is {"image":"","label":"a.png"}; expected {"image": FILE, "label")"));
  tree.write("a.png", "");
  tree.write("b.png", "");
  const auto told = [&](const std::string& entries) {
    tree.write("dataset.json", R"({"training": [)" + entries + R"(], "modality": {"0": "a"}})");
    return read_dataset_json(tree.path() / "dataset.json").problems.text(false);
  };
  const std::string once = R"({"image": "a.png", "label": "b.png"})";
  CHECK_THAT(told(once + "," + once),
             ContainsSubstring("dataset.json: lists " + (tree.path() / "a.png").string() +
                               " twice; remove one of the entries"));
  CHECK(told(once) == "  ");
  CHECK_THAT(told(R"({"image": "a.png", "label": "./a.png"})"),
             ContainsSubstring("dataset.json: lists " + (tree.path() / "a.png").string() +
                               " as image and as its label; name the label's own file"));
  tree.write("c.png", "");
  CHECK_THAT(told(once + R"(,{"image": "c.png", "label": "./b.png"})"),
             ContainsSubstring("dataset.json: lists " + (tree.path() / "b.png").string() +
                               " as the label of " + (tree.path() / "a.png").string() + " and of " +
                               (tree.path() / "c.png").string() +
                               "; name each one's own file, or remove one of the entries"));
  CHECK_THAT(told(R"({"image": "x\ny\u001b.png", "label": "a.png"})"),
             ContainsSubstring("x\\x0Ay\\x1B_0000.png: no such file"));
}

TEST_CASE("import: one difference of all names is recognised and said once", "[import]") {
  Lines names;
  for (int i = 0; i < 128; ++i) {
    names.push_back("p" + std::to_string(i / 8) + "/x_" + std::to_string(i) + ".png");
    names.push_back("p" + std::to_string(i / 8) + "/x_" + std::to_string(i) + "_seg.png");
  }
  const Tree tree(names);
  const ImportCases wrong = tree.find(kSideBySide);
  CHECK(wrong.cases.empty());
  REQUIRE(wrong.problems.count() == 1);
  CHECK_THAT(wrong.problems.text(false), ContainsSubstring("pass --mask-suffix _seg"));
  CHECK(tree.find({".", ".", {""}, "_seg"}).cases.size() == 128);

  struct Advice {
    Lines files;
    ImportNames named;
    std::string text;
    ImportNames better;
  };
  const std::vector<Advice> all{
      {{"1_img.npy", "1_seg.npy", "2_img.npy", "2_seg.npy"},
       kSideBySide,
       "pass --image-suffix _img --mask-suffix _seg",
       {".", ".", {"_img"}, "_seg"}},
      {{"p1/Flair.nii", "p1/Truth.nii", "p2/Flair.nii", "p2/Truth.nii"},
       kSideBySide,
       "pass --image-suffix Flair --mask-suffix Truth",
       {".", ".", {"Flair"}, "Truth"}},
      {{"a/a_t1.nii", "a/a_t2.nii", "a/a_seg.nii", "b/b_t1.nii", "b/b_t2.nii", "b/b_seg.nii"},
       {".", ".", {"_flair"}, "_mask"},
       "pass --image-suffix _t1,_t2 --mask-suffix _seg",
       {".", ".", {"_t1", "_t2"}, "_seg"}},
      {{"img/a 1.png", "img/a 2.png", "seg/a 1_m.png", "seg/a 2_m.png"},
       {"img", "seg", {""}, ""},
       "pass --mask-suffix _m",
       {"img", "seg", {""}, "_m"}},
      {{"scan1.png", "scan1mask.png", "scan2.png", "scan2mask.png"},
       kSideBySide,
       "pass --mask-suffix mask",
       {".", ".", {""}, "mask"}},
      {{"images/a_1.png", "images/a_2.png", "masks/a_1.png", "masks/a_2.png"},
       kSideBySide,
       "two folders hold nearly all files, as images/a_1 and masks/a_1: pass --images images "
       "--masks masks",
       {"images", "masks", {""}, ""}},
      {{"images/1.png", "images/2.png", "masks/1_mask.png", "masks/2_mask.png"},
       kSideBySide,
       "as images/1 and masks/1_mask: pass --images images --masks masks --mask-suffix _mask",
       {"images", "masks", {""}, "_mask"}},
      {{"all/my img/p1/1.png", "all/my img/p2/1.png", "all/gt/p1/1.png", "all/gt/p2/1.png"},
       kSideBySide,
       "pass --images 'all/my img' --masks all/gt",
       {"all/my img", "all/gt", {""}, ""}},
      {{"imagesTr/a_0000.nii", "imagesTr/b_0000.nii", "labelsTr/a.nii", "labelsTr/b.nii"},
       kSideBySide,
       "pass --images imagesTr --masks labelsTr --image-suffix _0000 --mask-suffix \"\"",
       {"imagesTr", "labelsTr", {"_0000"}, ""}},
      {{"train/images/1.png", "train/images/2.png", "train/masks/1.png", "train/masks/2.png",
        "test/3.png", "test/4.png", "test/5.png"},
       kSideBySide,
       "two folders hold 4 of 7 files (the others are then left out), as train/images/1 and "
       "train/masks/1: pass --images train/images --masks train/masks",
       {"train/images", "train/masks", {""}, ""}},
      {{"images/1.png", "images/2.png", "images/mask/1.png", "images/mask/2.png"},
       kSideBySide,
       "as images/1 and images/mask/1: pass --images images --masks images/mask",
       {"images", "images/mask", {""}, ""}},
      {{"1.png", "2.png", "mask/1.png", "mask/2.png"},
       kSideBySide,
       "two folders hold nearly all files, as 1 and mask/1: pass --images . --masks mask",
       {".", "mask", {""}, ""}}};
  for (const Advice& one : all) {
    const Tree files(one.files);
    const auto told = error_of([&] {
      const ImportCases found = files.find(one.named);
      CHECK(found.problems.count() == 1);
      fail("{}", found.problems.text(false));
    });
    CHECK_THAT(told, ContainsSubstring(one.text));
    const ImportCases mended = files.find(one.better);
    CHECK(mended.problems.empty());
    CHECK(mended.cases.size() == 2);
  }
  // No advice where nothing says so: pictures without masks, numbers, one file of many.
  CHECK(Tree({"a.png", "b.png", "c.png"}).find(kSideBySide).problems.count() == 3);
  CHECK(Tree({"x_1.png", "x_2.png", "y_1.png", "y_2.png"}).find(kSideBySide).problems.count() == 4);
  CHECK(
      Tree({"a.png", "a_seg.png", "b.png", "c.png", "d.png"}).find(kSideBySide).problems.count() ==
      5);
}

TEST_CASE("import: long lists are cut, with a count of each kind", "[import]") {
  Lines names{"lone_mask.png"};
  for (int i = 0; i < 40; ++i) names.push_back("slice" + std::to_string(i) + ".png");
  const std::string text = Tree(names).find(kSideBySide).problems.text(false);
  CHECK_THAT(text, ContainsSubstring("and 35 more images without a mask"));
  CHECK_THAT(text, ContainsSubstring("lone_mask.png: a mask without its image"));
  CHECK(text.ends_with("\n  (--all-problems names all)"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 7);
}

TEST_CASE("import: several masks of one image", "[import]") {
  const Tree tree({"x (1).png", "x (1)_mask.png", "x (1)_mask_1.png", "x (1)_mask_2.png",
                   "y_mask_1.png", "y_mask_1_mask.png", "y_mask.png", "y.png"});
  ImportNames names = kSideBySide;
  const ImportCases refused = tree.find(names);
  CHECK_THAT(refused.problems.text(false), ContainsSubstring("x (1)_mask_1.png: a second mask of " +
                                                             (tree.path() / "x (1).png").string() +
                                                             "; --masks union joins them"));
  names.join_masks = true;
  const ImportCases joined = tree.find(names);
  CHECK(joined.problems.empty());
  CHECK(tree.lines(joined) ==
        Lines{"x (1): x (1).png | x (1)_mask.png x (1)_mask_1.png x (1)_mask_2.png",
              "y: y.png | y_mask.png", "y_mask_1: y_mask_1.png | y_mask_1_mask.png"});
  const Tree folders({"img/a.png", "seg/a_1.png", "seg/a_2.png"});
  CHECK(folders.lines(folders.find({"img", "seg", {""}, "", true})) ==
        Lines{"a: img/a.png | seg/a_1.png seg/a_2.png"});
  const Tree suffixes({"a_img.png", "a_mask.png", "a_mask-2.png"});
  CHECK(suffixes.lines(suffixes.find({".", ".", {"_img"}, "_mask", true})) ==
        Lines{"a: a_img.png | a_mask.png a_mask-2.png"});
}

TEST_CASE("import: what is no picture is told by its own name", "[import]") {
  const Tree tree({"a.png", "a_mask.gif", "b_mask.png", "b.bmp"});
  tree.write("c.png", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 123\n");
  fs::create_symlink("../.git/annex/objects/x", tree.path() / "d.nii.gz");
  const ImportCases found = tree.find(kSideBySide);
  const std::string text = found.problems.text(false);
  CHECK(found.problems.count() == 4);
  CHECK_THAT(text, ContainsSubstring("a_mask.gif: Glia reads no .gif files; export it as .png"));
  CHECK_THAT(text, ContainsSubstring("b.bmp: Glia reads no .bmp files"));
  CHECK_THAT(text, ContainsSubstring("c.png: a pointer of Git LFS"));
  CHECK_THAT(text, ContainsSubstring("d.nii.gz: a link to ../.git/annex/objects/x, which is not"));
  CHECK(found.foreign.size() == 2);
  CHECK_THAT(error_of([] {
               Tree({"1.dcm", "2.dcm"}).find(kSideBySide);
             }),
             ContainsSubstring("but 2 files of other formats"));
}

TEST_CASE("import: nnU-Net's pictures in colour are one file", "[import]") {
  const Tree tree({"imagesTr/k_0000.png", "labelsTr/k.png"});
  tree.write("2.json", R"({"channel_names": {"0": "R", "1": "G", "2": "B"}, "file_ending": ".png",
    "labels": {"background": 0, "tumour": 1}, "numTraining": 1})");
  const ImportCases second = read_dataset_json(tree.path() / "2.json");
  CHECK(tree.lines(second) == Lines{"k: imagesTr/k_0000.png | labelsTr/k.png"});
  CHECK(second.channels == 3);
  tree.write("1.json", R"({"modality": {"0": "R", "1": "G", "2": "B"}, "training":
    [{"image": "imagesTr/k.png", "label": "labelsTr/k.png"}]})");
  CHECK(tree.lines(read_dataset_json(tree.path() / "1.json")) == tree.lines(second));
}

TEST_CASE("import: a dataset.json stays in its folder unless told otherwise", "[import]") {
  const Tree tree({"set/a.png", "secret.png", "set/x/b.png"});
  const auto with = [&](const std::string& image) {
    tree.write("set/d.json", R"({"modality": {"0": "a"}, "training": [{"image": ")" + image +
                                 R"(", "label": "a.png"}]})");
    return tree.path() / "set/d.json";
  };
  for (const std::string& outside :
       {std::string("../secret.png"), std::string("x/../../secret.png"),
        (tree.path() / "secret.png").string()}) {
    const ImportCases found = read_dataset_json(with(outside));
    CHECK(found.cases.empty());
    CHECK_THAT(found.problems.text(false), ContainsSubstring("--allow-outside"));
    CHECK(read_dataset_json(with(outside), true).cases.size() == 1);
  }
  CHECK(read_dataset_json(with("x/../x/b.png")).cases.size() == 1);
}

TEST_CASE("import: hostile dataset.json files are refused", "[import]") {
  const Tree tree(Lines{});
  const auto refusal = [&](const std::string& text) {
    tree.write("dataset.json", text);
    return error_of([&] { read_dataset_json(tree.path() / "dataset.json"); });
  };
  for (const std::string& deep :
       {std::string(80000, '['),
        R"({"training": )" + std::string(80000, '[') + std::string(80000, ']') + "}"})
    CHECK_THAT(refusal(deep), ContainsSubstring("nests deeper than 64 levels"));
  CHECK_THAT(refusal(R"({"training": 1e999})"),
             ContainsSubstring("a number that no computer holds"));
  std::string channels = R"({"file_ending": ".png", "channel_names": {)";
  for (int i = 0; i < 2000; ++i) channels += fmt::format(R"({}"{}": "a")", i == 0 ? "" : ",", i);
  CHECK_THAT(refusal(channels + "}}"), ContainsSubstring("names 2000 channels"));
}
