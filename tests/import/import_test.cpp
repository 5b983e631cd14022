#include "engine/import/import.h"

#include <nlohmann/json.hpp>

#include "engine/data/check_data.h"
#include "engine/data/group.h"
#include "tests/import/workshop.h"

using namespace glia;

namespace {

namespace fs = std::filesystem;

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
  CHECK_THAT(message, ContainsSubstring("1 of 1 x 4 (first"));
  CHECK_THAT(message, ContainsSubstring("--pad-to 2x4 or --resize 2x4"));
}

TEST_CASE("import: what is wrong with an image and with its mask is told at once", "[import]") {
  Workshop w;
  w.add("p/a.png", "no picture");
  w.add("p/a_mask.png", "nor this");
  const std::string message = w.refusal();
  CAPTURE(message);
  CHECK_THAT(message, ContainsSubstring("a.png: "));
  CHECK_THAT(message, ContainsSubstring("a_mask.png: "));
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

TEST_CASE("import: resizing keeps the ratio of the sides unless told otherwise", "[import]") {
  Workshop w;
  w.add_pair("p/a", 10, {1, 1, 1, 1, 1, 1, 1, 1}, 4);  // 2 x 4
  w.config().resize = Size{4, 4};
  w.run();
  CHECK(w.slice("a").mask == std::vector<float>{0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0});
  const std::vector<float> image = w.slice("a").image;
  CHECK(std::vector<float>(image.begin(), image.begin() + 8) ==
        std::vector<float>{10, 10, 10, 10, 10, 11, 12, 13});
  fs::remove_all(w.out());
  w.config().stretch = true;
  w.run();
  CHECK(w.slice("a").mask == std::vector<float>(16, 1));
  fs::remove_all(w.out());
  w.config().stretch = false;
  w.config().resize = Size{2, 2};
  w.config().pad_to = Size{3, 4};
  w.run();
  CHECK(w.slice("a").mask == std::vector<float>{0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0});
}

TEST_CASE("import: depths and channels that differ are a problem", "[import]") {
  Workshop w;
  w.add_pair("p/a", 10, {0, 1, 0, 0});
  w.add_pair("p/b", 10, {0, 1, 0, 0}, 2, 16);
  const std::string message = w.refusal();
  CHECK_THAT(message, ContainsSubstring("1 up to 255 (first"));
  CHECK_THAT(message, ContainsSubstring("1 up to 65535 (first"));
  CHECK_THAT(message, ContainsSubstring("convert them to one depth"));
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

TEST_CASE("import: the same picture with 8 and with 4 bits is the same slice", "[import]") {
  Workshop w;
  std::vector<std::uint16_t> four, eight;
  for (std::uint16_t i = 0; i < 16; ++i) {
    four.push_back(i);
    eight.push_back(static_cast<std::uint16_t>(17 * i));
  }
  w.add("p/a.png", png_file({.height = 4, .width = 4}, eight));
  w.add("p/b.png", png_file({.height = 4, .width = 4, .bits = 4}, four));
  for (const char* name : {"p/a_mask.png", "p/b_mask.png"})
    w.add(name, png_file({.height = 4, .width = 4, .bits = 1}, std::vector<std::uint16_t>(16)));
  w.run();
  CHECK(w.slice("a").image == w.slice("b").image);
}

TEST_CASE("import: a turned picture lies under its upright mask, and is told of",
          "[import][exif]") {
  Workshop w;
  w.add("p/a.png", png_file({.height = 1, .width = 2, .exif = exif_block(8)}, {1, 2}));
  w.add("p/a_mask.png", png_file({.height = 2, .width = 1}, {1, 0}));
  ImportSummary summary = w.run();
  CHECK(w.slice("a").image == std::vector<float>{2, 1});
  REQUIRE(summary.warnings.size() == 1);
  CHECK_THAT(summary.warnings[0], ContainsSubstring("pass --orientation stored"));
  fs::remove_all(w.out());
  w.add("p/a_mask.png", png_file({.height = 1, .width = 2}, {1, 0}));
  w.config().stack.as_stored = true;
  summary = w.run();
  CHECK(summary.warnings.empty());
  CHECK(w.slice("a").image == std::vector<float>{1, 2});
}

TEST_CASE("import: masks that are mostly tumour are told of", "[import]") {
  Workshop w;
  w.add_pair("p/a", 10, {1, 1, 1, 0});
  w.add_pair("p/b", 10, {1, 1, 0, 0});
  w.add_pair("p/c", 10, {1, 1, 1, 1});
  const ImportSummary summary = w.run();
  REQUIRE(summary.warnings.size() == 2);
  CHECK_THAT(summary.warnings[0], ContainsSubstring("a_mask.png: 3 of 4 pixels are tumour"));
  CHECK_THAT(summary.warnings[0], ContainsSubstring("white-is-zero"));
  CHECK(summary.warnings[1] == "and 1 more such masks");
}

TEST_CASE("import: images between 0 and 1 beside others up to 255 are told of", "[import]") {
  Workshop w;
  fs::create_directories(w.data() / "p");
  const auto add = [&](const std::string& id, const std::vector<float>& values) {
    write_npy<float>(w.data() / "p" / (id + ".npy"), {2, 2}, values);
    write_npy<std::uint8_t>(w.data() / "p" / (id + "_mask.npy"), {2, 2},
                            std::vector<std::uint8_t>{0, 1, 0, 0});
  };
  add("a", {0, 0.5F, 0.25F, 1});
  add("b", {0, 128, 64, 255});
  add("c", {-1, 0.5F, 0, 1});  // standardised: says nothing
  add("d", {0, 1, 1, 0});      // dark, of whole numbers
  ImportSummary summary = w.run();
  REQUIRE(summary.warnings.size() == 1);
  CHECK_THAT(summary.warnings[0], ContainsSubstring("1 images lie within 0 and 1 (first"));
  CHECK_THAT(summary.warnings[0], ContainsSubstring("1 others go up to 255"));
  CHECK(check_data(w.out()).warnings.size() == 1);
}

TEST_CASE("import: several masks of an image are joined when told to", "[import]") {
  Workshop w;
  w.add_pair("p/x", 10, {0, 1, 0, 0});
  w.add("p/x_mask_1.png", png_file({.height = 2, .width = 2}, {0, 0, 1, 0}));
  CHECK_THAT(w.refusal(), ContainsSubstring("x_mask_1.png: a second mask of"));
  w.config().names.join_masks = true;
  CHECK(w.run().slices == 1);
  CHECK(w.slice("x").mask == std::vector<float>{0, 1, 1, 0});
  CHECK_THAT(w.table(), ContainsSubstring("p/x_mask.png;p/x_mask_1.png"));
}

TEST_CASE("import: many sizes are a line, not a page", "[import]") {
  Workshop w;
  for (int width = 1; width <= 60; ++width)
    w.add_pair("p/s" + std::to_string(width), 10,
               std::vector<std::uint16_t>(static_cast<std::size_t>(2 * width)), width);
  w.add_pair("p/again", 10, std::vector<std::uint16_t>(8), 4);
  w.config().keep_blank = true;
  const std::string message = w.refusal();
  CHECK(message.size() < 1000);
  CHECK_THAT(message, ContainsSubstring("60 sizes: from 1 of 2 x 1 (first"));
  CHECK_THAT(message, ContainsSubstring("to 1 of 2 x 60 (first"));
  CHECK_THAT(message, ContainsSubstring("most often 2 of 2 x 4 (first"));
  w.config().resize = Size{2, 60};  // as the message says
  CHECK(w.run().size == Size{2, 60});
}

TEST_CASE("import: names that a spreadsheet would compute stay text, and are found again",
          "[import]") {
  Workshop w;
  w.add_pair("=p/=1+1", 10, {0, 1});
  w.add_pair("'p/-x", 20, {0, 1});
  w.run();
  CHECK_THAT(w.table(), ContainsSubstring("\n'=1+1,'=p,1,'=p/=1+1.png,'=p/=1+1_mask.png,,\n"));
  const auto groups = assign_groups({"=1+1", "-x"}, "csv:" + (w.out() / kSliceTable).string());
  CHECK(groups.at("=1+1") == "=p");
  CHECK(groups.at("-x") == "'p");
}

TEST_CASE("import: a picture with another number of channels than dataset.json says", "[import]") {
  Workshop w;
  w.add("imagesTr/k_0000.png", png_file({.height = 2, .width = 1}, {1, 2}));
  w.add("labelsTr/k.png", png_file({.height = 2, .width = 1}, {0, 1}));
  w.add("dataset.json",
        R"({"channel_names": {"0": "R", "1": "G", "2": "B"}, "file_ending": ".png"})");
  w.config().data = w.data() / "dataset.json";
  w.config().out = w.out();
  w.config().group_by = "case";
  CHECK_THAT(error_of([&] { import_data(w.config(), [](auto, auto) {}); }),
             ContainsSubstring("k_0000.png: 1 channels, "));
  w.add("imagesTr/k_0000.png",
        png_file({.height = 2, .width = 1, .channels = 3}, {1, 2, 3, 4, 5, 6}));
  const ImportSummary summary = import_data(w.config(), [](auto, auto) {});
  CHECK(summary.slices == 1);
  CHECK(summary.channels == 3);
}

TEST_CASE("import: stopped between two cases it leaves nothing", "[import]") {
  Workshop w;
  w.add_pair("p/a", 10, {0, 1});
  w.add_pair("p/b", 10, {0, 1});
  w.config().data = w.data();
  w.config().out = w.out();
  struct Stop {};
  CHECK_THROWS_AS(import_data(w.config(), [](auto, auto) { throw Stop(); }), Stop);
  CHECK(std::distance(fs::directory_iterator(w.out().parent_path()), {}) == 1);
}
